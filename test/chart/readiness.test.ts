// What Helm, Flux, kpt and Argo CD make of a migration in every state, judged by their own libraries. The statuses are those of the operator, and what
// is set before it has looked is the default of the CRD.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import { finding } from '../../src/migration/preflight/preflight-result.ts';
import type { Outcome } from '../../src/operator/judge/attempt.ts';
import { CONDITION_REASONS, type Reason } from '../../src/operator/judge/conditions.ts';
import { MigrationTrack } from '../../src/operator/judge/migration-track.ts';
import { crashed, missing } from '../operator/support/decide-inputs.ts';
import { migrationOf, momentAt, nowMs, progressOf } from '../operator/support/migrations.ts';
import { halfWay, running, type Scene, started, statusOf } from '../operator/support/statuses.ts';
import { differing, full, through } from '../operator/support/verified-stage.ts';
import { type HealthExpressions, HEALTH_SCRIPT, type Readiness, readinessOf } from '../support/kubernetes/readiness.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(ROOT, 'docs/guides/gitops.md'), 'utf8');
const crd = parse(readFileSync(join(ROOT, 'crds/prommigrations.prom-migrator.io.yaml'), 'utf8'));
const initialStatus = crd.spec.versions[0].schema.openAPIV3Schema.properties.status.default;

/** The documents of the YAML blocks in the guide that contain this text. */
function inGuide(text: string): string[] {
  const blocks = guide.split(/^```/m).filter((block) => block.startsWith('yaml\n'));
  return blocks.map((block) => block.slice('yaml\n'.length)).filter((block) => block.includes(text));
}

function expressionsOfGuide(): HealthExpressions {
  const [block = '', ...others] = inGuide('healthCheckExprs');
  assert.deepEqual(others, []);
  const [entry, ...more] = parse(block).spec.healthCheckExprs as (HealthExpressions & Record<string, string>)[];
  assert.ok(entry && more.length === 0);
  assert.deepEqual([entry['apiVersion'], entry['kind']], ['prom-migrator.io/v1alpha1', 'PromMigration']);
  return entry;
}

function objectOf(scene: Scene): PromMigration {
  const { resource = migrationOf() } = scene;
  return { ...resource, status: statusOf({ ...scene, resource }) };
}

function edited({ metadata, ...rest }: PromMigration): PromMigration {
  return { ...rest, metadata: { ...metadata, generation: 2 } };
}

function deleted({ metadata, ...rest }: PromMigration): PromMigration {
  return { ...rest, metadata: { ...metadata, deletionTimestamp: '2025-06-01T12:00:00Z' } };
}

function withoutPhase({ status: { phase: _, ...status } = {}, ...rest }: PromMigration): PromMigration {
  return { ...rest, status };
}

function ended(reason: Reason<'Succeeded'>, succeeded: boolean, scene: Partial<Scene> = {}): PromMigration {
  const outcome = { succeeded, reason, message: 'what happened' } as Outcome;
  return objectOf({ track: halfWay(), ...scene, situation: { kind: 'ended', outcome, atMs: nowMs } });
}

const verifiedResource = migrationOf({ spec: { verification: { ...full, onDifference: 'Report' } } });

function compared(progress: Parameters<typeof progressOf>[0]): MigrationTrack {
  const track = new MigrationTrack(verifiedResource, momentAt(nowMs));
  track.attemptStarted(verifiedResource.spec, momentAt(nowMs - 60_000));
  track.report(progressOf(progress), [started], momentAt(nowMs));
  return track;
}

const blocks = finding('receiver-off', { side: 'destination', has: 'no receiver', needs: 'one', setting: '--flag' });
const blockedLook = { generation: 1, atMs: 0, obstacles: 1, findings: [blocks], unclear: [] };
const stalledMs = 600_000;

type Row = [what: string, object: PromMigration, kstatus: string, argo: string, message: RegExp, flux?: string];

const working: Row[] = [
  ['not looked at yet', { ...migrationOf(), status: initialStatus }, 'InProgress', 'Progressing', /no operator/],
  [
    'with a missing Secret',
    objectOf({ situation: { kind: 'rejected', reason: 'SecretNotFound', message: 'no Secret "s"' }, check: missing }),
    'InProgress',
    'Progressing',
    /^Pending: SecretNotFound: no Secret "s"$/,
  ],
  [
    'that the operator rejects',
    objectOf({
      situation: { kind: 'rejected', reason: 'InvalidSpec', message: 'spec.x: what is wrong' },
      check: { ...missing, reason: 'InvalidSpec', message: 'spec.x: what is wrong' },
    }),
    'InProgress',
    'Progressing',
    /^Pending: InvalidSpec: spec\.x: what is wrong$/,
  ],
  ['that is looked at', objectOf({ situation: { kind: 'preflight' } }), 'InProgress', 'Progressing', /^Pending: Pre/],
  [
    'that a finding blocks',
    objectOf({
      resource: migrationOf({ spec: { preflight: 'Enforce' } }),
      situation: { kind: 'rejected', reason: 'PreflightBlocked', message: 'receiver-off' },
      look: blockedLook,
    }),
    'InProgress',
    'Progressing',
    /^Pending: PreflightBlocked: .*receiver-off/,
  ],
  ['that waits for a worker', objectOf({ situation: { kind: 'waiting' } }), 'InProgress', 'Progressing', /--max-migr/],
  [
    'that waits for pods',
    objectOf({ situation: { kind: 'waitingForPods' } }),
    'InProgress',
    'Progressing',
    /WaitingForPods/,
  ],
  ['that starts', objectOf({ situation: running }), 'InProgress', 'Progressing', /^Running: Starting/],
  [
    'that copies',
    objectOf({ situation: running, track: halfWay() }),
    'InProgress',
    'Progressing',
    /^Running 50.0%, \S+\/s, \w+ left: Copying: windows are being copied$/,
  ],
  [
    'that retries',
    objectOf({ situation: { kind: 'pausing', failures: crashed, stalledMs: undefined } }),
    'InProgress',
    'Progressing',
    /^Running: WorkerCrashed: /,
  ],
  [
    'without progress that is still tried',
    objectOf({ situation: { kind: 'running', stalledMs }, track: halfWay() }),
    'InProgress',
    'Progressing',
    /no window was finished, and no sample written or compared, for 10m/,
  ],
  [
    'without progress between two attempts',
    objectOf({ situation: { kind: 'pausing', failures: crashed, stalledMs }, track: halfWay() }),
    'InProgress',
    'Progressing',
    /WorkerCrashed/,
  ],
  [
    'whose operator was stopped',
    objectOf({ situation: { kind: 'interrupted' }, track: halfWay() }),
    'InProgress',
    'Progressing',
    /OperatorStopped/,
  ],
  [
    'that compares',
    objectOf({ resource: verifiedResource, situation: running, track: compared(through(12)) }),
    'InProgress',
    'Progressing',
    /^Verifying 75.0%, .*: Verifying: source and destination are compared$/,
  ],
  [
    'that is suspended',
    objectOf({ situation: { kind: 'suspended' }, track: halfWay() }),
    'InProgress',
    'Suspended',
    /^Suspended 50.0%: spec.suspend is true$/,
  ],
  [
    'that is suspended, and whose Job still copies',
    objectOf({ situation: { kind: 'suspended' }, track: halfWay(), unstopped: 'the Job "m" cannot be suspended' }),
    'InProgress',
    'Suspended',
    /^Suspended 50.0%: spec.suspend is true; JobNotStopped: the Job "m" cannot be suspended$/,
  ],
  [
    'whose status has lost its phase',
    withoutPhase(objectOf({ situation: running, track: halfWay() })),
    'InProgress',
    'Progressing',
    / left: Copying: windows are being copied$/,
  ],
];

const reasons = Object.entries(CONDITION_REASONS.Succeeded) as [Reason<'Succeeded'>, string][];
/** Successes that the expressions of the guide refuse; with differences the condition Verified says so. */
const INCOMPLETE: ReadonlySet<string> = new Set(['NothingFound', 'CompletedWithSkips']);
const after: Row[] = [
  ...reasons.flatMap(([reason, meaning]): Row[] => {
    const message = new RegExp(`^${reason}: what happened$`);
    if (meaning.startsWith('True')) {
      const flux = INCOMPLETE.has(reason) ? 'Failed' : 'Current';
      return [[`that succeeded: ${reason}`, ended(reason, true), 'Current', 'Healthy', message, flux]];
    }
    if (!meaning.startsWith('False')) return [];
    return [[`that failed: ${reason}`, ended(reason, false), 'Failed', 'Degraded', message]];
  }),
  [
    'that succeeded with differences that are reported',
    ended('CompletedWithDifferences', true, { resource: verifiedResource, track: compared(differing()) }),
    'Current',
    'Healthy',
    /CompletedWithDifferences/,
    'Failed',
  ],
  ['edited after a failure', edited(ended('DestinationRefused', false)), 'InProgress', 'Progressing', /last edit/],
  ['edited after its success', edited(ended('Completed', true)), 'InProgress', 'Progressing', /last edit/],
  [
    'edited after its success, when the operator has looked',
    objectOf({ resource: edited(ended('Completed', true)), situation: { kind: 'unchanged' } }),
    'Current',
    'Healthy',
    /^Completed: /,
  ],
  [
    'deleted, but kept by a finalizer',
    deleted(objectOf({ situation: { kind: 'deleting' } })),
    'Terminating',
    'Progressing',
    /deleted/,
    'InProgress',
  ],
  ['deleted after its end', deleted(ended('Completed', true)), 'Terminating', 'Progressing', /deleted/, 'Current'],
];
const rows = [...working, ...after];

describe('the readiness of a migration', function () {
  this.timeout(900_000);
  let judged: Readiness[];

  before(async () => {
    judged = await readinessOf(
      rows.map(([, object]) => object),
      expressionsOfGuide(),
    );
    assert.equal(judged.length, rows.length);
  });

  it('is tried with every way to end', () => {
    assert.ok(after.filter(([, , kstatus]) => kstatus === 'Failed').length >= 13);
    assert.ok(after.filter(([, , kstatus]) => kstatus === 'Current').length > 3);
  });

  for (const [index, [what, , kstatus, argo, message, flux = kstatus]] of rows.entries()) {
    it(`${what}: ${kstatus}, ${argo}`, () => {
      const said = judged[index];
      assert.equal(said?.kstatus.status, kstatus, JSON.stringify(said));
      assert.equal(said.argo.status, argo, JSON.stringify(said));
      assert.match(said.argo.message ?? '', message);
      assert.equal(said.flux.status, flux, JSON.stringify(said));
    });
  }

  it('has a message for people where kstatus shows one', () => {
    const failed = rows.findIndex(([what]) => what === 'that failed: DestinationRefused');
    assert.equal(judged[failed]?.kstatus.message, 'DestinationRefused: what happened');
    const secret = rows.findIndex(([what]) => what === 'with a missing Secret');
    assert.equal(judged[secret]?.kstatus.message, 'SecretNotFound: no Secret "s"');
  });

  it('is shown by Argo CD for objects of an operator that wrote fewer conditions', async () => {
    const old = rows.map(([, { status, ...rest }]) => {
      if (status?.conditions === undefined) return rest;
      const conditions = status.conditions.filter(({ type }) => !['Ready', 'Reconciling', 'Stalled'].includes(type));
      return { ...rest, status: { ...status, conditions } };
    });
    const again = await readinessOf(old, expressionsOfGuide());
    assert.deepEqual(
      again.map(({ argo }) => argo.status),
      rows.map(([, , , argo]) => argo),
    );
  });

  it('is the one that the guide says, with the script of the chart', () => {
    const [block = '', ...others] = inGuide('resource.customizations.health');
    assert.deepEqual(others, []);
    const { data } = parse(block) as { data: Record<string, string> };
    const script = readFileSync(HEALTH_SCRIPT, 'utf8');
    assert.equal(data['resource.customizations.health.prom-migrator.io_PromMigration'], script);
  });
});
