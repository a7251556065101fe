// A reflector against a fake API server, with a clock that the test moves.

import assert from 'node:assert/strict';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import type { KubeObject } from '../../../src/operator/kube/kube-objects.ts';
import { type ReflectOptions, reflect } from '../../../src/operator/kube/reflector.ts';
import type { SeenRequest } from './api-requests.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { ManualClock, settled, until } from './manual-clock.ts';

export const path = '/apis/prom-migrator.io/v1alpha1/prommigrations';
export const one = (name: string, fields: object = {}): KubeObject => ({
  metadata: { name, namespace: 'ns', ...fields },
});
export const pathOf = (name: string) => `/apis/prom-migrator.io/v1alpha1/namespaces/ns/prommigrations/${name}`;
export const isWatch = ({ query }: SeenRequest) => query['watch'] === 'true';
export const isList = (request: SeenRequest) => !isWatch(request);

/** A running reflector, its changes as text, and the objects that it delivers. */
export async function start(
  options: Partial<ReflectOptions<KubeObject>> = {},
  prepare: (server: FakeApiServer) => void = () => {},
) {
  const server = await FakeApiServer.start();
  prepare(server);
  const clock = new ManualClock();
  const client = new KubeClient(server.connection, { request: () => {} });
  const stop = new AbortController();
  const changes: string[] = [];
  const misses: number[] = [];
  const objects = new Map<string, KubeObject>();
  const running = (async () => {
    const all = {
      client,
      objects,
      path,
      clock,
      random: () => 0.5,
      signal: stop.signal,
      onRelistMiss: (n: number) => misses.push(n),
    };
    for await (const change of reflect<KubeObject>({ ...all, ...options })) {
      if (change.kind === 'synced') changes.push(`synced ${change.keys.join(' ')}`.trim());
      else if (change.kind === 'waiting') changes.push(`waiting: ${change.reason}`);
      else changes.push(`${change.kind} ${change.key.replace('ns/', '')}`);
    }
  })();
  return {
    server,
    clock,
    changes,
    misses,
    objects,
    running,
    stop: () => stop.abort(new Error('stop')),
    lists: () => server.requests.filter(isList).length,
    watches: () => server.requests.filter(isWatch).length,
    watching: () => until('a watch is open', () => server.openWatches === 1),
    sees: (change: string) => until(change, () => changes.some((seen) => seen.startsWith(change))),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stop'));
      await running;
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the back-off and advances past it. */
export async function waitsAndGoesOn(parts: { clock: ManualClock; changes: string[] }, count = 1) {
  const isWaiting = (change: string) => change.startsWith('waiting');
  await until('it waits', () => parts.changes.filter(isWaiting).length === count);
  await settled();
  assert.equal(parts.clock.sleeping.length, 1);
  await parts.clock.advance(parts.clock.sleeping[0]!);
}
