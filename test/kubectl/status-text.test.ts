// The texts of `kubectl pmig status`, compared with those in texts/. WRITE_TEXTS=1 writes them again.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changeLines } from '../../src/kubectl/text/change-line.ts';
import { CONDITION_CURES, cureOfError } from '../../src/kubectl/text/cures.ts';
import { listText } from '../../src/kubectl/text/list-text.ts';
import { viewOf } from '../../src/kubectl/text/migration-view.ts';
import { statusText } from '../../src/kubectl/text/status-text.ts';
import { CONDITION_REASONS } from '../../src/operator/judge/conditions.ts';
import { migrationOf, nowMs } from '../operator/support/migrations.ts';
import { before, CASE_NAMES, type CaseName, conditionsOf, objectOf } from './support/objects.ts';

const view = (name: CaseName) => {
  const { migration, events } = objectOf(name);
  return viewOf(migration, { events });
};

function assertText(name: string, text: string): void {
  const file = join(import.meta.dirname, `texts/${name}.txt`);
  if (process.env['WRITE_TEXTS']) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

describe('the text of a migration', () => {
  for (const name of CASE_NAMES) {
    it(`in phase ${name}`, () => assertText(name, statusText(view(name), nowMs)));
  }

  it('has at most 80 columns, and no secret of a URL', () => {
    for (const name of CASE_NAMES) {
      const text = statusText(view(name), nowMs);
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
      assert.ok(!text.includes('hunter2'));
      assert.ok(!JSON.stringify(view(name)).includes('hunter2'));
    }
  });

  it('cannot be made to control a terminal', () => {
    const message = 'see \u001b[31mred\u001b[0m\r\nEVENTS';
    const status = { conditions: conditionsOf(['Degraded', 'True', 'SourceFailing', message]), observedGeneration: 2 };
    const text = statusText(viewOf(migrationOf({ generation: 2, status }), { events: [] }), nowMs);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not have any
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
    assert.ok(text.includes('\\u001b[31mred'));
  });

  it('says that events could not be read, and why', () => {
    const text = statusText(viewOf(objectOf('running').migration, { missing: '403 Forbidden: no right' }), nowMs);
    assert.match(text, /EVENTS\n {2}not read: 403 Forbidden: no right\n/);
  });

  it('says that the operator has not seen the last change of the spec', () => {
    assert.deepEqual(
      view('suspended').attention.map(({ type, reason }) => `${type} ${reason}`),
      ['Operator Behind', 'Progressing Suspended'],
    );
  });

  it('says why one waits that was created suspended, and not that it was not checked', () => {
    const conditions = conditionsOf(
      ['Accepted', 'Unknown', 'NotChecked', 'not checked yet'],
      ['Progressing', 'False', 'Suspended', 'spec.suspend is true'],
    );
    const status = { phase: 'Suspended', observedGeneration: 1, conditions };
    const { attention } = viewOf(migrationOf({ spec: { suspend: true }, status }), { events: [] });
    assert.deepEqual(
      attention.map(({ reason }) => reason),
      ['Suspended'],
    );
  });

  it('knows when a status is the default of the CRD, which no operator has written', () => {
    const status = { observedGeneration: -1 };
    const [first] = viewOf(migrationOf({ status }), { events: [] }).attention;
    assert.equal(first?.reason, 'NotSeen');
  });
});

describe('the list of migrations', () => {
  it('has a line for each, with why it waits', () => {
    const views = CASE_NAMES.map((name) => ({ ...view(name), name }));
    assertText('list', listText(views, true));
  });
});

describe('the lines of a watch without a terminal', () => {
  it('tell the progress when it has changed, and news once', () => {
    const running = view('running');
    const first = changeLines(undefined, running);
    assert.deepEqual(first, [
      'Running  41.3%  through 2025-01-01 09:54:00  18/48 stretches  180.0k/s  1h12m left',
      'Degraded: SourceFailing: unavailable: the source responded with 503: overloaded',
      '  do: check that the source runs and is not overloaded; spec.limits.samplesPerSecond slows the copy down',
    ]);
    assert.deepEqual(changeLines(running, running), []);
    assert.ok(!changeLines(undefined, view('suspended')).join().includes('Behind'));
    assert.deepEqual(changeLines(running, { ...running, progress: { ...running.progress, display: '41.4%' } }), [
      'Running  41.4%  through 2025-01-01 09:54:00  18/48 stretches  180.0k/s  1h12m left',
    ]);
  });
});

describe('cures', () => {
  it('are for reasons that exist', () => {
    const reasons = new Set(Object.values(CONDITION_REASONS).flatMap((of) => Object.keys(of)));
    assert.deepEqual(
      Object.keys(CONDITION_CURES).filter((reason) => !reasons.has(reason)),
      [],
    );
  });

  it('of errors name the side, and are not repeated', () => {
    const cure = cureOfError('unauthorized', 'destination', 'no');
    assert.match(cure ?? '', /spec\.destination\b/);
    assert.doesNotMatch(cure ?? '', /SIDE/);
    assert.equal(cureOfError('unauthorized', 'destination', `no (${cure})`), undefined);
    assert.equal(cureOfError('no-such-code', 'source', before(1)), undefined);
    assert.equal(cureOfError('constructor', 'source', ''), undefined);
  });
});
