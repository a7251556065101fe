import assert from 'node:assert/strict';
import { isStopping, leads, type Life, type LifeEvent, nextLife, permissionOf } from '../../src/operator/life-cycle.ts';

const events: readonly LifeEvent[] = ['elected', 'deposed', 'listed', 'workersGone', 'stop', 'drained'];

/** The names are those of the table below. */
const lives: Readonly<Record<string, Life>> = {
  new: { kind: 'standby', listed: false },
  standby: { kind: 'standby', listed: true },
  waiting: { kind: 'waitingForList' },
  leading: { kind: 'leading' },
  abandoning: { kind: 'abandoning', stopping: false },
  ending: { kind: 'abandoning', stopping: true },
  draining: { kind: 'draining' },
  stopped: { kind: 'stopped' },
};

/** Every state with every event; `-`: no transition. */
const table = `
  state      elected  deposed    listed   workersGone stop     drained
  new        waiting  -          standby  -           stopped  -
  standby    leading  -          -        -           stopped  -
  waiting    -        new        leading  -           stopped  -
  leading    -        abandoning -        -           draining -
  abandoning -        -          -        standby     ending   -
  ending     -        -          -        stopped     -        -
  draining   -        ending     -        -           -        stopped
  stopped    -        -          -        -           -        -`;
const rows = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/ +/));

describe("the operator's life cycle", () => {
  for (const [name = '', ...follows] of rows.slice(1)) {
    it(`has the transitions of the table from ${name}`, () => {
      for (const [index, event] of events.entries()) {
        assert.equal(rows[0]?.[index + 1], event);
        const wanted = follows[index] === '-' ? name : (follows[index] ?? '');
        const life = lives[name]!;
        const next = nextLife(life, event);
        assert.deepEqual(next, lives[wanted], `${name} ${event}`);
        if (wanted === name) assert.equal(next, life, 'the very same, so that nobody acts on it');
      }
    });
  }

  it('has a row for every state', () => {
    assert.deepEqual(
      rows.slice(1).map(([name]) => name),
      Object.keys(lives),
    );
  });

  const permissions: [name: string, permission: string, leading: boolean, stopping: boolean][] = [
    ['new', 'nothing', false, false],
    ['standby', 'nothing', false, false],
    ['waiting', 'nothing', true, false],
    ['leading', 'work', true, false],
    ['abandoning', 'nothing', false, false],
    ['ending', 'nothing', false, true],
    ['draining', 'lastStatus', true, true],
    ['stopped', 'nothing', false, true],
  ];
  for (const [name, permission, leading, stopping] of permissions) {
    it(`allows ${name} to write ${permission}`, () => {
      const life = lives[name]!;
      assert.deepEqual([permissionOf(life), leads(life), isStopping(life)], [permission, leading, stopping]);
    });
  }
});
