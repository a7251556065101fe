// A store commits a request and its acknowledgement never arrives: a proxy replaces it, or the connection breaks. Whatever response the
// client gets, every sample is stored once.

import assert from 'node:assert/strict';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { planFor, run } from '../support/plan.ts';
import { assertComplete, prometheusWith } from './support/copies.ts';
import { changed, testSeries, withoutNan } from './support/store-cases.ts';

const faults: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    [408, 425, 499, 500, 502, 503, 504, 520, 524].map((status) => [
      String(status),
      { status, commits: true, headers: { 'content-type': 'text/html' }, body: '<html>gateway</html>' },
    ]),
  ),
  '500 without a body': { status: 500, commits: true },
  '503 with Retry-After': { status: 503, commits: true, headers: { 'retry-after': '1' }, body: 'Service Unavailable' },
  'a reset connection': { disconnects: 'after commit' },
};

const stores: readonly {
  readonly name: string;
  readonly open: () => Behaviour;
  readonly protocol: 'RemoteRead' | 'PromQL';
  readonly ordering: 'InOrder' | 'Any';
  readonly stored: (bits: bigint) => bigint | undefined;
}[] = [
  {
    name: 'an in-order Prometheus',
    open: () => prometheus(),
    protocol: 'RemoteRead',
    ordering: 'InOrder',
    stored: (bits) => bits,
  },
  {
    name: 'VictoriaMetrics',
    open: () => victoriametrics({ hiddenForMs: 1000 }),
    protocol: 'PromQL',
    ordering: 'Any',
    stored: withoutNan,
  },
];

for (const { name, open, protocol, ordering, stored } of stores) {
  describe(`an acknowledgement of ${name} that is replaced`, () => {
    for (const [what, fault] of Object.entries(faults)) {
      it(`by ${what} neither loses nor duplicates a sample`, async () => {
        await using source = await prometheusWith();
        await using destination = await startFakeStore(open());
        let writes = 0;
        destination.onRequest = ({ kind, isMark }) =>
          kind === 'write' && !isMark && ++writes % 5 === 2 ? fault : undefined;
        const result = await run(
          planFor({ source, destination }, { protocol, destination: { ordering }, limits: { samplesPerWrite: 60 } }),
        );
        assertComplete(result, destination, changed(testSeries(), stored));
        assert.ok(writes > 10, `${writes} writes`);
      });
    }
  });
}
