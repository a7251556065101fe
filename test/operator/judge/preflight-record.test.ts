// When both sides of a migration are looked at, and what that holds up.

import assert from 'node:assert/strict';
import { finding } from '../../../src/migration/preflight/preflight-result.ts';
import { PreflightRecord, preflightState } from '../../../src/operator/judge/preflight-record.ts';
import { migrationOf, monotonicMs } from '../support/migrations.ts';

const blocks = finding('receiver-off', { side: 'destination', has: 'none', needs: 'one' });
const warns = finding('clock-differs', { side: 'source', has: '5m', needs: '0' });
const unjudged = { side: 'source', code: 'connection-refused', message: 'no connection', hint: undefined } as const;
const minuteMs = 60_000;

function scene(preflight: 'Off' | 'Warn' | 'Enforce', generation = 1) {
  const resource = migrationOf({ generation, spec: { preflight } });
  const record = new PreflightRecord();
  return {
    record,
    resource,
    look(found: Partial<Parameters<PreflightRecord['found']>[0]>, atMs = monotonicMs) {
      record.started(resource);
      return record.found({ findings: [], unjudged: [], ...found }, {}, atMs).map(({ code }) => code);
    },
    state(nowMs = monotonicMs, { hasBegun = false, of = resource } = {}) {
      return preflightState(of, record.lookAt(of), { hasBegun, nowMs });
    },
  };
}

describe('a look at both sides', () => {
  it('precedes the copy, unless that has begun or preflight is Off', () => {
    assert.equal(scene('Off').state().kind, 'passed');
    for (const preflight of ['Warn', 'Enforce'] as const) {
      assert.equal(scene(preflight).state().kind, 'due');
      assert.equal(scene(preflight).state(monotonicMs, { hasBegun: true }).kind, 'passed');
    }
  });

  it('is as for Warn under an older CRD, whose resources have no preflight', () => {
    const { preflight: _, ...spec } = migrationOf().spec;
    const older = { ...migrationOf(), spec } as ReturnType<typeof migrationOf>;
    assert.equal(preflightState(older, undefined, { hasBegun: false, nowMs: 0 }).kind, 'due');
  });

  it('does not hold up a migration with Warn, whatever it finds', () => {
    const warn = scene('Warn');
    warn.look({ findings: [blocks], unjudged: [unjudged] });
    assert.equal(warn.state().kind, 'passed');
  });

  it('holds a migration with Enforce while something blocks or is unclear, and is repeated with growing pauses', () => {
    for (const found of [{ findings: [blocks] }, { unjudged: [unjudged] }]) {
      const enforce = scene('Enforce');
      let nowMs = monotonicMs;
      const pauses = Array.from({ length: 9 }, () => {
        enforce.look(found, nowMs);
        const state = enforce.state(nowMs);
        assert.ok(state.kind === 'held');
        const pauseMs = state.retryAtMs - nowMs;
        nowMs = state.retryAtMs;
        const due = enforce.state(nowMs);
        assert.ok(due.kind === 'due' && due.held !== undefined);
        return pauseMs / 1000;
      });
      assert.deepEqual(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
      enforce.look({ findings: [warns] }, nowMs);
      assert.equal(enforce.state(nowMs).kind, 'passed');
    }
  });

  it('is due at once after a change of the spec', () => {
    const enforce = scene('Enforce');
    enforce.look({ findings: [blocks] });
    const of = migrationOf({ generation: 2, spec: { preflight: 'Enforce' } });
    assert.deepEqual(enforce.state(monotonicMs, { of }), { kind: 'due', held: undefined });
  });

  it('is repeated before a start that follows much later', () => {
    const warn = scene('Warn');
    warn.look({});
    assert.equal(warn.state(monotonicMs + 5 * minuteMs - 1).kind, 'passed');
    assert.equal(warn.state(monotonicMs + 5 * minuteMs).kind, 'due');
  });

  it('reports each finding once for a generation', () => {
    const warn = scene('Warn');
    assert.deepEqual(warn.look({ findings: [blocks, warns] }), ['receiver-off', 'clock-differs']);
    assert.deepEqual(warn.look({ findings: [warns, blocks] }), []);
    warn.record.started(migrationOf({ generation: 2 }));
    const found = { findings: [warns], unjudged: [] };
    assert.equal(warn.record.found(found, {}, monotonicMs).length, 1);
  });

  it('reports nothing again that the status of an earlier operator shows', () => {
    const { record, resource } = scene('Warn');
    const condition = { type: 'Accepted', status: 'True', lastTransitionTime: '2025-06-01T12:00:00Z' } as const;
    const message = 'the manifest is valid, but: clock-differs (source): has 5m';
    const shown = { ...condition, observedGeneration: 1, reason: 'PreflightFindings', message };
    record.started(resource);
    const found = { findings: [blocks, warns], unjudged: [] };
    const unreported = record.found(found, { status: { conditions: [shown] } }, monotonicMs);
    assert.deepEqual(unreported, [blocks]);
  });

  it('is unclear if it ends without a result, unless it was stopped', () => {
    const crashed = scene('Enforce');
    crashed.record.started(crashed.resource);
    crashed.record.ended(undefined, 'out of memory', monotonicMs);
    const state = crashed.state();
    assert.ok(state.kind === 'held' && state.reason === 'PreflightNotJudged');
    assert.match(state.message, /out of memory/);
    const stopped = scene('Enforce');
    stopped.record.started(stopped.resource);
    stopped.record.ended('suspend', 'ended', monotonicMs);
    assert.deepEqual(stopped.state(), { kind: 'due', held: undefined });
  });
});
