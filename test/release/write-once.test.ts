// What `npm run freeze` writes is complete, and a run that has failed can be repeated.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOnce } from '../../scripts/write-once.ts';

describe('a directory that is written once', () => {
  let parent = '';
  let directory = '';
  let unfinished = '';
  const writing = (name: string, text: string) => async (target: string) => writeFileSync(join(target, name), text);

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'prom-migrator-write-once-'));
    directory = join(parent, 'upgrade/1.2.3');
    unfinished = join(parent, 'unfinished');
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  it('is not there after a failure, and the next run writes all of it', async () => {
    const failing = writeOnce(directory, unfinished, async (target) => {
      await writing('crd.yaml', 'old')(target);
      throw new Error('too fast to be interrupted');
    });
    await assert.rejects(failing, /too fast to be interrupted/);
    assert.deepEqual([existsSync(directory), existsSync(unfinished)], [false, false]);
    await writeOnce(directory, unfinished, writing('crd.yaml', 'new'));
    assert.equal(readFileSync(join(directory, 'crd.yaml'), 'utf8'), 'new');
    assert.equal(existsSync(unfinished), false);
  });

  it('has nothing of a run that was killed', async () => {
    mkdirSync(unfinished);
    await writing('crd.yaml', 'old')(unfinished);
    await writeOnce(directory, unfinished, writing('values.yaml', ''));
    assert.deepEqual(readdirSync(directory), ['values.yaml']);
  });

  it('is never changed', async () => {
    await writeOnce(directory, unfinished, writing('crd.yaml', 'old'));
    await assert.rejects(writeOnce(directory, unfinished, writing('crd.yaml', 'new')), /is there already/);
    assert.equal(readFileSync(join(directory, 'crd.yaml'), 'utf8'), 'old');
  });
});
