import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportFileProblem, writeReportFile } from '../../../src/cli/report/report-file.ts';

describe('the file of a report', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'report-file-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is checked without leaving anything behind', async () => {
    assert.equal(await reportFileProblem(join(directory, 'report.html')), undefined);
    assert.deepEqual(readdirSync(directory), []);
    writeFileSync(join(directory, 'report.html'), 'earlier');
    assert.equal(await reportFileProblem(join(directory, 'report.html')), undefined);
    assert.equal(readFileSync(join(directory, 'report.html'), 'utf8'), 'earlier');
  });

  it('must have a directory, and not be one, nor a device', async () => {
    mkdirSync(join(directory, 'folder'));
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('/dev/null', join(directory, 'device'));
    const cases: [name: string, problem: RegExp][] = [
      ['none/report.html', /its directory does not exist/],
      ['folder', /is a directory; name a file in it/],
      ['file/report.html', /a part of its path is not a directory/],
      ['device', /not a regular file/],
      ['x'.repeat(300), /its name is too long/],
    ];
    for (const [name, problem] of cases) assert.match((await reportFileProblem(join(directory, name))) ?? '', problem);
    for (const name of ['', '-']) assert.match((await reportFileProblem(name)) ?? '', /needs a file/);
    assert.match((await reportFileProblem('/proc/report.html')) ?? '', /not writable|cannot be written|does not exist/);
  });

  it('replaces an earlier one completely, and leaves no other file', async () => {
    const file = join(directory, 'report.html');
    writeFileSync(file, 'earlier and much longer');
    assert.equal(await writeReportFile(file, 'new ✓'), undefined);
    assert.equal(readFileSync(file, 'utf8'), 'new ✓');
    assert.deepEqual(readdirSync(directory), ['report.html']);
  });

  it('stays as it was if the new one cannot be put in its place', async () => {
    mkdirSync(join(directory, 'report.html'));
    assert.match((await writeReportFile(join(directory, 'report.html'), 'new')) ?? '', /cannot be written/);
    assert.deepEqual(readdirSync(directory), ['report.html']);
    assert.match((await writeReportFile(join(directory, 'none', 'x'), 'new')) ?? '', /directory does not exist/);
  });
});
