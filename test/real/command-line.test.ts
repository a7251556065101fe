// The real command line: each kind of invalid input once, with its exit code and messages; the result as JSON and as text; the metrics
// during a run. Unusable servers are in wrong-address.test.ts.
import assert from 'node:assert/strict';
import type { RunResult } from '../../src/cli/result.ts';
import { generateDataset } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { countSamples, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type CommandOptions, runCommand } from './support/command.ts';
import { type MigrationSpec, manifestOf, runMigration, startMigration } from './support/migration.ts';

const START_MS = Date.UTC(2025, 4, 1);
const END_MS = START_MS + 2 * 3_600_000;
const range = { start: new Date(START_MS).toISOString(), end: new Date(END_MS).toISOString() };

let set: SeriesSet;
let source: ServerProcess;
let victoria: ServerProcess;

before(async () => {
  set = generateDataset({ series: 22, startMs: START_MS, endMs: END_MS });
  [source, victoria] = await Promise.all([startPrometheus({ version: '3.5', receiver: true }), startVictoriaMetrics()]);
  await pushSamples(`${source.url}/api/v1/write`, set);
});

after(() => Promise.all([source, victoria].map((server) => server[Symbol.asyncDispose]())));

function specOf(): MigrationSpec {
  return {
    source: { url: `${source.url}/api/v1/read` },
    destination: {
      url: `${victoria.url}/api/v1/write`,
      progress: { protocol: 'PromQL', url: victoria.url },
    },
    timeRange: range,
  };
}

const text = (document: object) => JSON.stringify(document, undefined, 2);

/** Rejected before any request to a server: exit code 2, empty stdout, one line per problem. */
async function problemsOf(options: CommandOptions, args = ['-f', 'migration.yaml']): Promise<string[]> {
  const run = await runCommand(['run', ...args], options);
  assert.equal(run.exitCode, 2, run.stderr);
  assert.equal(run.stdout, '');
  return run.stderr.trimEnd().split('\n');
}

const onlyFile = (content: string) => ({ files: { 'migration.yaml': content } });

describe('a manifest with errors', () => {
  it('reports all of them at once, each in one line with file, path, value and what is allowed', async () => {
    const spec = {
      source: {
        url: 'http://me:hunter2@prometheus:9090/api/v1/read',
        readmode: 'Auto',
        basicAuth: { username: { name: 'login', key: 'user' }, password: { name: 'login', key: 'password' } },
        authorization: { credentials: { name: 'token', key: 'token' } },
        timeouts: { connect: 'ten' },
      },
      destination: { url: 'prometheus:9090/write', ordering: 'Sorted', progress: { protocol: 'PromQL' } },
      selectors: ['{job=~"("}', 'up{'],
      timeRange: { start: '2025-02-30T00:00:00Z' },
      limits: { memory: 'much', samplesPerSecond: 'all' },
    };
    const lines = await problemsOf(onlyFile(text(manifestOf(spec))));
    const expected: readonly [path: string, ...parts: RegExp[]][] = [
      ['spec.source.url', /"http:\/\/prometheus:9090\/api\/v1\/read": must not contain a user or a password/],
      ['spec.source.readmode', /readMode/],
      ['spec.source', /basicAuth, authorization, oauth2, sigv4 and azureAd cannot be used together/],
      ['spec.source.timeouts.connect', /"ten"/],
      ['spec.destination.url', /"prometheus:9090\/write"/, /http/],
      ['spec.destination.ordering', /"Sorted"/, /InOrder.*Any/],
      ['spec.destination.progress.url', /is required unless protocol has the value None/],
      ['spec.selectors[0]', /RE2|regular expression/i],
      ['spec.selectors[1]', /"up\{"/],
      ['spec.timeRange.start', /"2025-02-30T00:00:00Z"/],
      ['spec.limits.memory', /"much"/],
      ['spec.limits.samplesPerSecond', /"all": must be a whole number/],
      ['spec.source.basicAuth.username', /Secret "login" with the key "user" not found/],
      ['spec.source.authorization.credentials', /Secret "token" with the key "token" not found/],
    ];
    for (const [path, ...parts] of expected) {
      const line = lines.find((candidate) => candidate.startsWith(`migration.yaml: ${path}: `));
      assert.ok(line, `no line for ${path} in:\n${lines.join('\n')}`);
      for (const part of parts) assert.match(line, part);
    }
    assert.ok(!lines.join('\n').includes('hunter2'), 'no password');
    for (const line of lines) assert.match(line, /^migration\.yaml: spec\./);
  });

  it('reports them in the object of --output json too', async () => {
    const { timeRange: _, ...spec } = specOf();
    const run = await runCommand(['run', '-f', 'migration.yaml', '-o', 'json'], onlyFile(text(manifestOf(spec))));
    assert.equal(run.exitCode, 2);
    const result = JSON.parse(run.stdout) as RunResult;
    assert.equal(result.phase, 'Failed');
    assert.equal(result.migration, null);
    assert.deepEqual(result.error, { code: 'bad-manifest', message: run.stderr.trimEnd(), side: null });
    assert.match(run.stderr, /spec\.timeRange: .*required/i);
  });

  it('is rejected when it ends before it starts, or contains two migrations', async () => {
    const spec = { ...specOf(), timeRange: { start: range.end, end: range.start } };
    assert.match(
      (await problemsOf(onlyFile(text(manifestOf(spec))))).join('\n'),
      /^migration\.yaml: spec\.timeRange.*end.*start/s,
    );
    const two = `${text(manifestOf(specOf()))}\n---\n${text(manifestOf(specOf(), 'other'))}`;
    assert.match(
      (await problemsOf(onlyFile(two))).join('\n'),
      /^migration\.yaml: document 2: a second PromMigration|^migration\.yaml, document 2: a second PromMigration/,
    );
  });

  const unusable: readonly [title: string, content: string, answer: RegExp][] = [
    ['invalid YAML', 'spec: {source: [}', /^migration\.yaml, document 1: is not valid YAML: line 1, column \d+: /],
    ['nothing', '', /^migration\.yaml: is empty$/],
    ['only comments', '# later\n---\n', /^migration\.yaml: is empty$/],
    [
      'another kind',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n',
      /^migration\.yaml, document 1: .*Pod.*only a PromMigration/,
    ],
    ['plain text', 'hello', /^migration\.yaml, document 1: is not a Kubernetes object/],
    ['an older version', text({ ...manifestOf({}), apiVersion: 'prom-migrator.io/v1' }), /prom-migrator\.io\/v1alpha1/],
  ];
  for (const [title, content, response] of unusable) {
    it(`is rejected with ${title}, naming the document`, async () => {
      const lines = await problemsOf(onlyFile(content));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', response);
    });
  }

  it('may come from standard input, and a missing file is named', async () => {
    const lines = await problemsOf({ stdin: 'kind: [' }, ['-f', '-', '-f', 'nowhere.yaml', '--secrets-dir', 'none']);
    assert.match(lines.join('\n'), /nowhere\.yaml: no such file/);
    assert.match(lines.join('\n'), /none: no such directory/);
  });
});

describe('a command line with errors', () => {
  const mistakes: readonly [args: string[], answer: RegExp][] = [
    [[], /^prom-migrator COMMAND \[flags\]/],
    [['walk'], /unknown command "walk"/],
    [['run'], /no manifest given: use -f FILE/],
    [['run', '-f', 'a', '--outptu', 'json'], /unknown flag --outptu.*--output/],
    [['run', '-f', 'a', '--grace', 'soon'], /--grace takes a duration.*"soon"/],
    [['run', '-f', 'a', '--output', 'xml'], /--output.*text.*json/],
  ];
  for (const [args, reply] of mistakes) {
    it(`is rejected with exit code 2: ${args.join(' ') || 'no arguments'}`, async () => {
      const run = await runCommand(args);
      assert.equal(run.exitCode, 2, run.stderr);
      assert.equal(run.stdout, '');
      assert.match(run.stderr, reply);
    });
  }

  it('exits with 1 when the address for the metrics is in use', async () => {
    const run = await runCommand(
      ['run', '-f', 'migration.yaml', '--metrics-address', new URL(victoria.url).host],
      onlyFile(text(manifestOf(specOf()))),
    );
    assert.equal(run.exitCode, 1, run.stderr);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /in use/);
  });
});

describe('the result', () => {
  it('of --output json has these fields, in this order', async () => {
    const spec = { ...specOf(), externalLabels: { test: 'json' } };
    const first = await runMigration(spec);
    assert.equal(first.exitCode, 0, first.stderr);
    const { result } = first;
    assert.deepEqual(Object.keys(result), [
      'migration',
      'phase',
      'resumedFrom',
      'through',
      'completedRatio',
      'stretches',
      'samplesRead',
      'samplesWritten',
      'samplesFiltered',
      'samplesAlreadyPresent',
      'samplesConflicting',
      'samplesRejected',
      'samplesReadPlain',
      'samplesAlteredAtMost',
      'series',
      'windows',
      'bytesRead',
      'bytesWritten',
      'retries',
      'total',
      'durationSeconds',
    ]);
    assert.deepEqual(
      [result.migration, result.phase, result.resumedFrom, result.through],
      ['default/test', 'Succeeded', null, range.end],
    );
    assert.equal(result.samplesRead, countSamples(set));
    assert.equal(result.samplesWritten, countSamples(set));
    assert.equal(result.series, set.size);
    for (const counted of ['windows', 'bytesRead', 'bytesWritten', 'durationSeconds'] as const)
      assert.ok(result[counted] > 0, counted);

    const again = await runMigration(spec);
    assert.equal(again.exitCode, 0);
    assert.equal(again.result.resumedFrom, range.end);
    assert.equal(again.result.samplesRead, 0);
    assert.match(again.stderr, / an earlier run has finished this migration/);
  });

  it('of --output text is a summary on stdout; the log on stderr is plain text', async () => {
    const spec = { ...specOf(), externalLabels: { test: 'text' } };
    const run = await runCommand(['run', '-f', '-'], { stdin: text(manifestOf(spec)) });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /^migration +default\/test\nphase +Succeeded\n/);
    assert.match(run.stdout, new RegExp(`samples written +${countSamples(set).toLocaleString('en-US')}\n`));
    assert.ok(!run.stderr.includes('\u001b'), 'no escape codes');
    for (const line of run.stderr.trimEnd().split('\n'))
      assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (?:info |warn |error) /);
  });
});

describe('--metrics-address', () => {
  it('serves the metrics of the migration while it runs', async () => {
    const spec = { ...specOf(), externalLabels: { test: 'metrics' }, limits: { samplesPerSecond: 4000 } };
    await using migration = await startMigration(spec, { args: ['--metrics-address', '127.0.0.1:0'] });
    await migration.saying(/ migration started /);
    const url = / serving \/metrics and \/livez url=(\S+)/.exec(migration.stderr())?.[1] ?? '';
    assert.equal((await request(`${url}/livez`)).status, 200);
    assert.equal((await request(`${url}/`)).status, 404);
    const metric = async (name: string) => {
      const { body, headers } = await request(`${url}/metrics`);
      assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
      const line = body
        .toString('utf8')
        .split('\n')
        .find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    };
    const migrationLabel = 'migration="default/test"';
    const written = () => metric(`prom_migrator_samples_written_total{${migrationLabel}}`);
    while (!((await written()) ?? 0)) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await metric(`prom_migrator_phase{${migrationLabel},phase="Running"}`), 1);
    const ratio = (await metric(`prom_migrator_completed_ratio{${migrationLabel}}`)) ?? -1;
    assert.ok(ratio >= 0 && ratio < 1, `${ratio} is done`);
    assert.equal(await metric(`prom_migrator_range_end_timestamp_seconds{${migrationLabel}}`), END_MS / 1000);
    const before = (await written()) ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.ok(((await written()) ?? 0) > before, 'it goes on');
    const { exitCode } = await migration.ended;
    assert.equal(exitCode, 0);
  });
});
