// A view of a fake destination store, and the series that the view tests write and read.

import assert from 'node:assert/strict';
import { type Connections, openConnections } from '../../../src/migration/connections.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { labelKey } from '../../../src/wire/label-hash.ts';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { FastClock } from './fake-clock.ts';
import { dayMs, emptyProgress, epochMs, planFor, RecordingObserver } from './plan.ts';
import { bitsOf, type Series } from './remote-messages.ts';

export type Protocol = 'RemoteRead' | 'PromQL';
export type Labels = Series['labels'];

export interface Opened extends AsyncDisposable {
  readonly store: FakeStore;
  readonly view: Connections['view'];
  readonly observer: RecordingObserver;
}

export const signal = new AbortController().signal;
export const nowMs = epochMs + 30 * dayMs;

export async function open(
  behaviour: Behaviour,
  protocol: Protocol,
  changes: Parameters<typeof planFor>[1] = {},
): Promise<Opened> {
  const clock = new FastClock({ nowMs });
  const store = await startFakeStore(behaviour, { now: () => clock.now() });
  const observer = new RecordingObserver();
  const connections = openConnections(
    planFor({ source: store, destination: store }, { protocol, ...changes }),
    { clock, random: () => 0.5, stop: signal, abort: signal, observer, startupDeadlineMs: 60_000 },
    emptyProgress(),
  );
  return {
    store,
    view: connections.view,
    observer,
    async [Symbol.asyncDispose]() {
      connections.close();
      await store[Symbol.asyncDispose]();
      assert.deepEqual(store.failures, []);
    },
  };
}

export function series(labels: Labels, timesMs: readonly number[]): Series {
  return { labels, samples: timesMs.map((timeMs) => ({ timeMs, bits: bitsOf(timeMs - epochMs) })) };
}

export function marks(timesMs: readonly number[], added: Labels = []): Series {
  const plan = { migration: 'test/copy', id: 'abc123', progressLabels: {} };
  return series([...Object.entries(markLabels(plan, undefined)), ...added], timesMs);
}

export const up: Labels = [
  ['__name__', 'up'],
  ['instance', 'a'],
];

function keyOf(labels: Labels): string {
  return labelKey(encodeLabels(labels));
}

export async function timesOf(view: Connections['view'], wanted: readonly Labels[], fromMs: number, toMs: number) {
  const names = [...new Set(wanted.map((labels) => new Map(labels).get('__name__') ?? ''))];
  const keys = () => wanted.map(keyOf);
  const present = await view.presentTimes({ names, keys, fromMs, toMs }, signal);
  return wanted.map((labels) => [...(present.get(keyOf(labels)) ?? [])]);
}

export const everyStore: [name: string, protocol: Protocol, behaviour: () => Behaviour][] = [
  ['Prometheus', 'RemoteRead', () => prometheus()],
  ['Prometheus with external labels', 'RemoteRead', () => prometheus({ externalLabels: { cluster: 'eu' } })],
  ['Prometheus 3', 'PromQL', () => prometheus({ major: 3 })],
  ['Prometheus 2', 'PromQL', () => prometheus({ major: 2 })],
  ['VictoriaMetrics', 'PromQL', () => victoriametrics()],
  ['Cortex', 'RemoteRead', () => cortex()],
  ['Cortex', 'PromQL', () => cortex()],
  ['M3', 'RemoteRead', () => m3()],
  ['M3', 'PromQL', () => m3()],
  ['Thanos', 'PromQL', () => thanos()],
  ['thanos-remote-read', 'RemoteRead', () => thanos()],
];
