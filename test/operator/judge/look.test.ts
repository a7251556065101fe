// What the condition Accepted says about a look at both sides.

import assert from 'node:assert/strict';
import { type Finding, finding } from '../../../src/migration/preflight/preflight-result.ts';
import type { Check } from '../../../src/operator/judge/check-result.ts';
import { type Look, obstacleOf, remarkOf, shownCodes } from '../../../src/operator/judge/look.ts';
import type { Situation } from '../../../src/operator/judge/situation.ts';
import { migrationOf } from '../support/migrations.ts';
import { running, statusOf } from '../support/statuses.ts';

const blocks = finding('receiver-off', { side: 'destination', has: 'no receiver', needs: 'one', setting: '--flag' });
const warns = finding('clock-differs', { side: 'source', has: 'a clock that is 5m ahead', needs: 'the time' });
const informs = finding('any-is-faster', { side: 'destination', has: 'any order', needs: 'nothing more' });
const noResume = finding('no-resume-point', { side: 'progress', has: 'None', needs: 'a mark' });

const lookWith = (findings: readonly Finding[], unclear: readonly string[] = []): Look => ({
  ...{ generation: 1, atMs: 0, obstacles: 0, findings, unclear },
});

function acceptedOf(
  preflight: 'Off' | 'Warn' | 'Enforce',
  look: Look | undefined,
  situation: Situation = running,
  check?: Check,
) {
  const resource = migrationOf({ spec: { preflight } });
  const status = statusOf({ resource, situation, look, ...(check && { check }) });
  const accepted = status.conditions?.find(({ type }) => type === 'Accepted');
  return { stand: `${accepted?.status} ${accepted?.reason}`, message: accepted?.message ?? '', status };
}

describe('the condition Accepted after a look', () => {
  const noMarks: Check = { ok: true, id: 'a', noResumePoint: true };
  const table: [what: string, look: Look, warn: string, enforce: string, check?: Check][] = [
    ['that found nothing', lookWith([]), 'True Valid', 'True Valid'],
    ['that found what only informs', lookWith([informs]), 'True Valid', 'True Valid'],
    ['that found what warns', lookWith([warns, informs]), 'True PreflightFindings', 'True PreflightFindings'],
    ['that found what blocks', lookWith([blocks, warns]), 'True PreflightFindings', 'False PreflightBlocked'],
    ['that is incomplete', lookWith([], ['no response']), 'True PreflightIncomplete', 'False PreflightNotJudged'],
    [
      'that is incomplete and found what blocks',
      lookWith([blocks], ['?']),
      'True PreflightFindings',
      'False PreflightBlocked',
    ],
    ['of a migration without marks', lookWith([noResume]), 'True NoResumePoint', 'True NoResumePoint', noMarks],
    [
      'that found more than missing marks',
      lookWith([warns, noResume]),
      'True PreflightFindings',
      'True PreflightFindings',
      noMarks,
    ],
  ];
  for (const [what, look, warn, enforce, check] of table) {
    it(what, () => {
      assert.equal(acceptedOf('Warn', look, running, check).stand, warn);
      assert.equal(acceptedOf('Enforce', look, running, check).stand, enforce);
    });
  }

  it('names codes, sides and cures, the codes first', () => {
    const { message } = acceptedOf('Warn', lookWith([blocks, warns]));
    assert.match(
      message,
      /but: receiver-off, clock-differs\. receiver-off \(destination\): has no receiver; needs one; do: /,
    );
    assert.match(message, /clock-differs \(source\): has a clock that is 5m ahead; needs the time; do: synchronize/);
  });

  it('has no control characters of a server', () => {
    const { message } = acceptedOf('Warn', lookWith([{ ...blocks, has: 'a\u001b[31m colour' }], ['\u0007']));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    assert.doesNotMatch(message, /[\u0000-\u001f]/);
  });

  it('is not known yet during the first look of Enforce', () => {
    assert.equal(acceptedOf('Enforce', undefined, { kind: 'preflight' }).stand, 'Unknown PreflightRunning');
    assert.equal(acceptedOf('Warn', undefined, { kind: 'preflight' }).stand, 'True Valid');
  });

  it('stays as an earlier operator has left it, until the spec is edited', () => {
    const { status } = acceptedOf('Warn', lookWith([warns]));
    const again = (generation: number) => {
      const resource = migrationOf({ generation, spec: { preflight: 'Warn' }, status });
      return statusOf({ resource, situation: running }).conditions?.[0];
    };
    assert.equal(again(1)?.reason, 'PreflightFindings');
    assert.match(again(1)?.message ?? '', /clock-differs/);
    assert.equal(again(2)?.reason, 'Valid');
  });

  it('shows the whole obstacle while it holds the migration', () => {
    const held = obstacleOf(lookWith([blocks]));
    assert.ok(held);
    const { stand, message, status } = acceptedOf('Enforce', lookWith([blocks]), { kind: 'rejected', ...held });
    assert.equal(stand, 'False PreflightBlocked');
    assert.equal(message, held.message);
    assert.equal(status.phase, 'Pending');
    const succeeded = status.conditions?.find(({ type }) => type === 'Succeeded');
    assert.equal(`${succeeded?.status} ${succeeded?.reason}`, 'Unknown PreflightBlocked');
  });

  it('shows which codes it has, of this generation', () => {
    const { status } = acceptedOf('Warn', lookWith([blocks, warns]));
    assert.deepEqual([...shownCodes(status, 1)], ['receiver-off', 'clock-differs']);
    assert.deepEqual([...shownCodes(status, 2)], []);
    assert.deepEqual([...shownCodes(undefined, 1)], []);
    const { status: valid } = acceptedOf('Warn', lookWith([]));
    assert.deepEqual([...shownCodes(valid, 1)], []);
  });

  it('has no remark without a finding', () => assert.equal(remarkOf(lookWith([informs, noResume])), undefined));
});
