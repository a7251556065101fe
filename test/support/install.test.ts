// Installing test servers into the cache: once for concurrent requests, never incomplete, and with the machine's own package archives.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedRecord, installOnce, withLock } from './cache.ts';
import { firstAlternatives, parseDeb822Sources, parseOneLineSources } from './debian-packages.ts';
import { environmentVariable, findServer } from './install.ts';
import { parseDumpLine } from './promtool-dump.ts';

describe('the server cache', () => {
  const before = process.env['XDG_CACHE_HOME'];
  let directory = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-cache-'));
    process.env['XDG_CACHE_HOME'] = directory;
  });

  afterEach(async () => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = before;
    await rm(directory, { recursive: true, force: true });
  });

  it('installs once for concurrent requests', async () => {
    let installations = 0;
    const ask = () =>
      installOnce('thing', async (target) => {
        installations++;
        await writeFile(join(target, 'program'), 'x');
        return { version: '1.2', origin: 'here' };
      });
    const paths = await Promise.all([ask(), ask(), ask()]);
    assert.equal(installations, 1);
    assert.equal(new Set(paths).size, 1);
    assert.ok(existsSync(join(paths[0] ?? '', 'program')));
    assert.equal((await installedRecord('thing'))?.version, '1.2');
  });

  it('removes a failed installation, and retries', async () => {
    const failing = installOnce('thing', async (target) => {
      await writeFile(join(target, 'half'), 'x');
      throw new Error('network gone');
    });
    await assert.rejects(failing, /network gone/);
    assert.equal(await installedRecord('thing'), undefined);
    const path = await installOnce('thing', async () => ({ version: '1', origin: 'here' }));
    assert.equal(existsSync(join(path, 'half')), false);
  });

  it('takes over the lock of a process that is dead or unresponsive', async () => {
    const lock = join(directory, 'lock');
    await writeFile(lock, 'another-host 1');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    assert.equal(await withLock(lock, async () => 'done'), 'done');
    const { pid } = spawnSync(process.execPath, ['--version']);
    await writeFile(lock, `${hostname()} ${pid}`);
    assert.equal(await withLock(lock, async () => 'done'), 'done');
    assert.equal(existsSync(lock), false);
  });

  it('names the variable to set for a version without an installer', async () => {
    await assert.rejects(findServer('prometheus', '1.8'), /known: 2\.24, .*set PROMETHEUS_1_8 to its path/);
  });

  it('rejects a variable that names no file', async () => {
    const variable = environmentVariable('victoria-metrics', '1.145');
    assert.equal(variable, 'VICTORIA_METRICS_1_145');
    const beforeThis = process.env[variable];
    process.env[variable] = '/no/such/program';
    try {
      await assert.rejects(
        findServer('victoria-metrics', '1.145'),
        /VICTORIA_METRICS_1_145 is set to \/no\/such\/program/,
      );
    } finally {
      if (beforeThis === undefined) delete process.env[variable];
      else process.env[variable] = beforeThis;
    }
  });
});

describe("the machine's package archives", () => {
  it('are read from deb822 files', () => {
    const text = [
      'Types: deb',
      '# a remark',
      'URIs: http://archive.example/debian http://second.example/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main',
      'Signed-By: /usr/share/keyrings/archive.gpg',
      '',
      'Types: deb',
      'URIs: http://tools.example/',
      'Suites: ./',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://off.example/debian',
      'Suites: sid',
      'Components: main',
      '',
    ].join('\n');
    const signedBy = '/usr/share/keyrings/archive.gpg';
    assert.deepEqual(parseDeb822Sources(text), [
      { uri: 'http://archive.example/debian', signedBy },
      { uri: 'http://second.example/debian', signedBy },
    ]);
  });

  it('are read from one-line files', () => {
    const text = [
      '# deb http://no.example/debian sid main',
      'deb [arch=amd64 signed-by=/etc/apt/keyrings/a.gpg] https://a.example/debian bookworm main contrib',
      'deb http://b.example/debian bookworm main',
      'deb-src http://b.example/debian bookworm main',
      'deb http://c.example/tools stable tools',
    ].join('\n');
    assert.deepEqual(parseOneLineSources(text), [
      { uri: 'https://a.example/debian', signedBy: '/etc/apt/keyrings/a.gpg' },
      { uri: 'http://b.example/debian' },
    ]);
  });
});

describe('the dependencies of a package', () => {
  it('are the first of alternatives, without virtual packages', () => {
    const text = [
      'chromium',
      '  PreDepends: libbase',
      '  Depends: libc6',
      ' |Depends: libjpeg',
      ' |Depends: libjpeg-turbo',
      '  Depends: libjpeg-other',
      ' |Depends: <fonts>',
      '  Depends: fonts-dejavu',
      '  Depends: <debconf-2.0>',
      '    debconf',
      'libc6',
      '  Depends: libgcc-s1',
    ].join('\n');
    assert.deepEqual(firstAlternatives(text), ['libbase', 'libc6', 'libjpeg', 'libgcc-s1']);
  });
});

describe("a line of promtool's dump", () => {
  it('is split where its labels end, whatever they contain', () => {
    const line = String.raw`{"größe"="groß", __name__="up", a="x} \"y\" \\ \n\x00\u00ad🌍"} 1.5 1700000000000`;
    const { labels, labelsEnd } = parseDumpLine(line);
    assert.deepEqual(labels, [
      ['größe', 'groß'],
      ['__name__', 'up'],
      ['a', 'x} "y" \\ \n\0\u00ad🌍'],
    ]);
    assert.equal(line.slice(labelsEnd), '1.5 1700000000000');
  });

  it('may have no labels', () => {
    assert.deepEqual(parseDumpLine('{} 1 2'), { labels: [], labelsEnd: 3 });
  });
});
