// An ingress that restarts in the middle of a healthy migration responds instead of the store: the request is retried, for all three kinds
// of requests.

import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { startFakeStore, type StoreRequest } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { minuteMs, planFor, run } from '../support/plan.ts';
import { assertComplete, histogramSeries, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const series = [...testSeries(), histogramSeries('latency')];

const html = '<html><head><title>502</title></head></html>';
const hiccups: Readonly<Record<string, Fault>> = {
  'an HTML page with a 200': { status: 200, headers: { 'content-type': 'text/html' }, body: html },
  'a redirect': { status: 302, headers: { location: 'https://login.example/' } },
  'a 404': { status: 404, body: 'default backend - 404' },
  'a gzip body': {
    status: 200,
    headers: { 'content-type': 'text/html', 'content-encoding': 'gzip' },
    body: gzipSync(html),
  },
};

const ways: Readonly<Record<string, (request: StoreRequest) => boolean>> = {
  read: ({ kind }) => kind === 'read',
  write: ({ kind, isMark }) => kind === 'write' && !isMark,
  mark: ({ kind, isMark }) => kind === 'write' && isMark,
};

describe('an ingress that restarts in the middle of a healthy migration', () => {
  for (const [what, fault] of Object.entries(hiccups)) {
    for (const [way, concerns] of Object.entries(ways)) {
      it(`responds to a ${way} with ${what}, and the migration is completed`, async () => {
        await using source = await prometheusWith(series);
        await using destination = await startFakeStore(prometheus());
        const store = way === 'read' ? source : destination;
        let requests = 0;
        store.onRequest = (request) => {
          if (!concerns(request)) return undefined;
          requests++;
          return requests === 2 || requests === 3 ? fault : undefined;
        };
        const plan = planFor(
          { source, destination },
          { limits: { samplesPerWrite: 100 }, window: { maxMs: 10 * minuteMs } },
        );
        const result = await run(plan);
        assertComplete(result, destination, series);
        assert.ok(requests > 4, `${requests} requests`);
      });
    }
  }
});
