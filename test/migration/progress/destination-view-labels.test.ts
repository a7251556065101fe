// The labels that a destination adds to stored series, as its view detects them.

import assert from 'node:assert/strict';
import { encodeLabels } from '../../../src/wire/labels.ts';
import type { Behaviour } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos, thanosLabels } from '../../support/stores/thanos.ts';
import { dayMs, epochMs } from '../support/plan.ts';
import { type Protocol, type Labels, signal, nowMs, open, series, marks, up, timesOf } from '../support/opened-view.ts';

const adding: [name: string, protocol: Protocol, behaviour: () => Behaviour, added: Labels][] = [
  [
    'a Prometheus with external labels',
    'RemoteRead',
    () => prometheus({ externalLabels: { cluster: 'eu' }, outOfOrderWindowMs: 60 * dayMs }),
    [['cluster', 'eu']],
  ],
  ['Thanos', 'PromQL', () => thanos({ outOfOrderWindowMs: 60 * dayMs }), thanosLabels()],
  ['thanos-remote-read', 'RemoteRead', () => thanos({ outOfOrderWindowMs: 60 * dayMs }), thanosLabels()],
];

for (const [name, protocol, behaviour, added] of adding) {
  describe(`the labels that ${name} adds by ${protocol}`, () => {
    const wanted: Labels[] = [
      up,
      [
        ['__name__', 'up'],
        ['instance', 'b'],
      ],
    ];

    it('are learned from the marks and excluded from the comparison', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([marks([epochMs]), series(wanted[0]!, [epochMs + 1, epochMs + 3])]);
      await view.latestMark(epochMs, nowMs, signal);
      assert.deepEqual(await timesOf(view, wanted, epochMs, epochMs + 9), [[epochMs + 1, epochMs + 3], []]);
      for (const labels of wanted) assert.notEqual(view.hides(encodeLabels(labels)), 'everything');
    });

    it('are learned from a probe when there is no mark yet', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([series(wanted[0]!, [epochMs + 1, epochMs + 3])]);
      assert.deepEqual(await timesOf(view, wanted, epochMs, epochMs + 9), [[epochMs + 1, epochMs + 3], []]);
      assert.equal(store.marks().length, 0);
      for (const labels of wanted) assert.notEqual(view.hides(encodeLabels(labels)), 'everything');
      const writes = store.requests.filter(({ kind }) => kind === 'write').length;
      await timesOf(view, wanted, epochMs, epochMs + 9);
      assert.equal(store.requests.filter(({ kind }) => kind === 'write').length, writes, 'one probe');
    });

    it('may hide everything when neither marks nor a probe show them', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([series(wanted[0]!, [epochMs + 1])]);
      store.onRequest = ({ kind }) => (kind === 'write' ? { status: 400, body: 'out of bounds' } : undefined);
      assert.deepEqual(await timesOf(view, wanted, epochMs, epochMs + 9), [[], []]);
      assert.equal(view.hides(encodeLabels(wanted[0]!)), 'everything');
    });

    it('prove nothing about a series that is written with one of them', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      const [[label]] = added as [[string, string]];
      const own: Labels = [...up, [label, 'mine']];
      const same: Labels = [...up, [label, new Map(added).get(label) ?? '']];
      store.put([marks([epochMs]), series(up, [epochMs + 1])]);
      await view.latestMark(epochMs, nowMs, signal);
      // A result for `up` may belong to either of the other two.
      assert.deepEqual(await timesOf(view, [up, own, same], epochMs, epochMs + 9), [[], [], []]);
      for (const labels of [up, own, same]) assert.equal(view.hides(encodeLabels(labels)), 'everything');
      assert.notEqual(view.hides(encodeLabels(wanted[1]!)), 'everything');
    });
  });
}
