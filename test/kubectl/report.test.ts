// What a report contains: planted secrets are in none of it, whatever is needed for a cure is.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bundleName, bundleText, filesOf } from '../../src/kubectl/report/bundle.ts';
import { allLogLines, logLinesOf, metricLinesOf } from '../../src/kubectl/report/lines.ts';
import { reportedJob, reportedPod } from '../../src/kubectl/report/objects.ts';
import { redactObject, redactText } from '../../src/kubectl/report/redact.ts';
import { tarOf } from '../../src/kubectl/report/tar.ts';
import { wrapped } from '../../src/kubectl/text/lines.ts';

const CANARY = 'c4nary-h1dden';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl';
const subject = { namespace: 'team', name: 'copy' };

describe('redaction', () => {
  const texts: [string, string][] = [
    [`http://reader:${CANARY}@source/read?p=${CANARY}`, 'http://source/read?p=***'],
    [`GET /read?db=x&token=${CANARY} failed`, 'GET /read?db=***&token=*** failed'],
    [`connect to reader:${CANARY}@source:9090`, 'connect to ***@source:9090'],
    [`you sent Authorization: Bearer ${CANARY}`, 'you sent Authorization: Bearer ***'],
    [`you sent basic ${Buffer.from(CANARY).toString('base64')}`, 'you sent basic ***'],
    [`the token ${JWT} has expired`, 'the token *** has expired'],
    ['key AKIAIOSFODNN7EXAMPLE is unknown', 'key *** is unknown'],
    [`client_secret=${CANARY}&grant_type=x`, 'client_secret=***&grant_type=***'],
    [`{"error":"no","password":"${CANARY}"}`, '{"error":"no","password":"***"}'],
    [`"{\\"api_key\\": \\"${CANARY}\\"}"`, '"{\\"api_key\\": \\"***\\"}"'],
    [`-----BEGIN EC PRIVATE KEY-----\n${CANARY}\n-----END EC PRIVATE KEY-----`, '***'],
    [`-----BEGIN PRIVATE KEY-----\n${CANARY}`, '***'],
    ['password: hunter2', 'password: ***'],
    ['X-Api-Key: s3cr3t, Accept: */*', 'X-Api-Key: ***, Accept: */*'],
    ['Authorization: Token abc', 'Authorization: Token ***'],
    ['map[Authorization:[Basic YTpi] Accept:[*/*]]', 'map[Authorization:[Basic ***] Accept:[*/*]]'],
    [`Authorization: Unlisted ${CANARY}${CANARY} was sent`, 'Authorization: *** was sent'],
    ['invalid api key: glsa_abcdef123', 'invalid api key: ***'],
    ['unknown: glsa_abcdef123, ghp_abcdefghij0123', 'unknown: ***, ***'],
    ['got {"token":12345} and {"token":null}', 'got {"token":***} and {"token":null}'],
    ['password="two words" user=x', 'password="***" user=x'],
    ["password = 'it \\' is' user=x", "password = '***' user=x"],
    ['{"password":"a\\\\","user":"x"}', '{"password":"***","user":"x"}'],
    ['error="password=\\"two words\\" refused"', 'error="password=\\"***\\" refused"'],
    ['excerpt {"password":"two wor', 'excerpt {"password":"***'],
    ['secret access key => abc', 'secret access key => ***'],
    ['{"token":{"password":"two words"}}', '{"token":{"password":"***"}}'],
  ];
  for (const [text, expected] of texts)
    it(`of ${JSON.stringify(text).slice(0, 60)}`, () => assert.equal(redactText(text), expected));

  const kept = [
    'there is no Secret "login" in team',
    'image ghcr.io/prom-migrator/prom-migrator:0.1.0@sha256:0123456789abcdef',
    'up{job="node",instance="10.0.0.1:9100"} at 2025-01-01T00:00:00Z',
    'http://source:9090/api/v1/read: 503: overloaded',
    'Basic auth failed',
    'Basic authentication failed',
    'Bearer token required',
    'WWW-Authenticate: Basic realm="Prometheus"',
    'spec.source.basicAuth.password: Secret "none" in namespace "team-a" with the key "p" not found',
    'spec.source.bearerToken: only one of them may be set',
    'cannot fetch token: 401 Unauthorized',
    'cannot fetch token: Post "https://idp/token": dial tcp: lookup idp: no such host',
    'invalid token: the token has expired',
    'http://vault-secret:8200/v1: refused',
  ];
  for (const text of kept) it(`keeps ${text}`, () => assert.equal(redactText(text), text));

  it('of a secret that is cut hides its beginning too', () => {
    assert.ok(!redactText(`${'x'.repeat(1_985)} u:${CANARY.repeat(3)}@source`).includes('c4nary'));
  });

  it('of a number under the name of a secret', () => {
    assert.deepEqual(redactObject({ token: 12_345, tokensRead: 3 }), { token: '***', tokensRead: 3 });
  });

  // A quadratic pattern takes minutes for them.
  const hostile: [string, string][] = [
    ...['a', 'a-', 'a.', 'a:', ':', ' ', '"', '\\', '\\"', '-----BEGIN ', '-----BEGIN PRIVATE KEY-----'],
    ...[
      '-----END ',
      'Basic ',
      'Basic aaaaaaaa',
      'eyJaaaaa-',
      'eyJ',
      'glsa_',
      'glsa_aaaaaa-',
      'AKIA',
      '?a',
      '&a=',
      'a:b@',
    ],
    ...[
      'token',
      'token=',
      'token: ',
      'token="',
      `token="token='`,
      'token=\\"',
      '"token":',
      'token-',
      'token:[',
      'api ',
    ],
    ...['http://', 'http://a?b=', 'a://)', 'Authorization: ', 'Authorization: Basic ', 'token="\\\\', 'Cookie: a;'],
  ].flatMap((part) => [part, `token=${part}`].map((start): [string, string] => [start, part]));
  it('takes linear time for hostile texts', () => {
    for (const [start, part] of [
      ...hostile,
      ['http://', ')'],
      ['token', ' '],
      ['token="', '\\'],
      ['Basic', ' '],
    ] as const)
      redactText(`${start}${part.repeat(2 ** 20 / part.length)}\u0001`);
  });

  it('of a PromMigration keeps the names of Secrets, and hides values', () => {
    const object = {
      metadata: {
        name: 'copy',
        annotations: { 'example.com/note': CANARY, 'prom-migrator.io/x': 'kept' },
        managedFields: [{ manager: CANARY }],
      },
      spec: {
        source: {
          url: `http://source/read?p=${CANARY}`,
          headers: { 'X-Key': CANARY },
          basicAuth: { password: { name: 'login', key: 'password' } },
        },
        destination: {
          oauth2: {
            tokenUrl: 'http://idp/token',
            endpointParams: { client: CANARY },
            clientSecret: { name: 'idp', key: 'client-secret' },
          },
        },
      },
      status: { recentErrors: [{ message: `you sent Bearer ${CANARY}` }], token: CANARY },
    };
    const redacted = redactObject(object) as typeof object;
    assert.ok(!JSON.stringify(redacted).includes(CANARY), JSON.stringify(redacted));
    assert.deepEqual(redacted.spec.source.basicAuth, object.spec.source.basicAuth);
    assert.deepEqual(redacted.spec.destination.oauth2.clientSecret, { name: 'idp', key: 'client-secret' });
    assert.equal(redacted.spec.destination.oauth2.tokenUrl, 'http://idp/token');
    assert.equal(redacted.metadata.annotations['prom-migrator.io/x'], 'kept');
  });

  it('of pods and Jobs leaves out environment, volumes and templates', () => {
    const container = {
      name: 'operator',
      image: 'i:1',
      env: [{ name: 'A', value: CANARY }],
      args: [`--a=http://x/?q=${CANARY}`],
    };
    const pod = {
      metadata: { name: 'p' },
      spec: { containers: [container], volumes: [{ name: CANARY }] },
      status: { phase: 'Running' },
    };
    const job = {
      metadata: { name: 'j' },
      spec: { completions: 3, template: { spec: pod.spec } },
      status: { failed: 1 },
    };
    const text = JSON.stringify([reportedPod(pod), reportedJob(job)]);
    assert.ok(!text.includes(CANARY), text);
    assert.match(text, /"image":"i:1".*"phase":"Running".*"completions":3.*"failed":1/);
  });
});

describe('the log of an operator', () => {
  const json = (fields: object) => JSON.stringify({ time: 't', level: 'info', message: 'window finished', ...fields });
  const other = { namespace: 'team', migration: 'other' };
  const own = { namespace: 'team', migration: 'copy' };

  it('is reduced to lines about the migration, and about no migration if they are no routine', () => {
    const lines = [
      json({ message: 'operator started', version: '0.1.0' }),
      json(own),
      json(other),
      json({ ...own, namespace: 'elsewhere' }),
      json({ level: 'warn', message: 'a lost watch' }),
      json({ message: 'routine' }),
      json({ ...own, url: `http://u:${CANARY}@x/` }),
      'FATAL ERROR: Reached heap limit',
    ];
    const kept = logLinesOf(lines.join('\n'), subject);
    assert.deepEqual(kept, [lines[0], lines[1], lines[4], json({ ...own, url: 'http://x/' }), lines[7]]);
  });

  it('may have the format text', () => {
    const line = (fields: string, level = 'info') => `2026-01-02T03:04:05.678Z ${level}  window finished ${fields}`;
    const lines = [
      line('namespace=team migration=copy windows=3'),
      line('namespace=team migration=copy-2'),
      line('namespace=elsewhere migration=copy'),
      line('', 'error'),
      line(''),
    ];
    assert.deepEqual(logLinesOf(lines.join('\n'), subject), [lines[0], lines[3]]);
  });

  it('is complete for the pod of a Job, which copies nothing else', () => {
    assert.deepEqual(allLogLines(`${json({})}\nBearer ${CANARY}\n\n`), [json({}), 'Bearer ***']);
  });
});

it('the metrics of an operator are reduced to those of the migration and of none', () => {
  const exposition = [
    '# HELP a_total A.',
    '# TYPE a_total counter',
    'a_total{migration="team/other"} 1',
    'a_total{migration="team/copy"} 2',
    '# HELP b B.',
    '# TYPE b gauge',
    'b{migration="team/other"} 1',
    '# HELP leader L.',
    '# TYPE leader gauge',
    'leader 1',
    '',
  ].join('\n');
  assert.deepEqual(metricLinesOf(exposition, subject), [
    '# HELP a_total A.',
    '# TYPE a_total counter',
    'a_total{migration="team/copy"} 2',
    '# HELP leader L.',
    '# TYPE leader gauge',
    'leader 1',
  ]);
});

describe('the bundle', () => {
  const bundle = {
    migration: 'team/copy',
    collected: [
      { path: 'migration.json', what: 'the PromMigration', text: '{}\n' },
      { path: `operator/${'x'.repeat(50)}.metrics.txt`, what: 'metrics', text: `${'ä'.repeat(600)}\n` },
    ],
    missing: [{ what: 'events', why: '403 Forbidden: no right' }],
  };
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

  it('begins with a manifest of what is in it and what is not', () => {
    const [manifest, ...others] = filesOf(bundle, nowMs);
    const { files, missing, createdAt } = JSON.parse(manifest?.text ?? '');
    assert.equal(createdAt, '2026-01-02T03:04:05.000Z');
    assert.deepEqual(
      files.map(({ path, bytes }: { path: string; bytes: number }) => [path, bytes]),
      [
        ['migration.json', 3],
        [bundle.collected[1]?.path, 1_201],
      ],
    );
    assert.deepEqual(missing, bundle.missing);
    assert.equal(others.length, 2);
    assert.match(bundleText(bundle, 'r.tar.gz', wrapped), /not in it:\n {2}events\n {4}403 Forbidden: no right\n/);
  });

  it('is an archive that tar reads', () => {
    const directory = mkdtempSync(join(tmpdir(), 'pmig-tar-'));
    try {
      const folder = bundleName('n'.repeat(63), 'm'.repeat(63), nowMs);
      assert.ok(folder.endsWith('-20260102T030405Z'), folder);
      writeFileSync(join(directory, 'r.tar.gz'), gzipSync(tarOf(filesOf(bundle, nowMs), folder, nowMs)));
      execFileSync('tar', ['-xzf', 'r.tar.gz'], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
      for (const { path, text } of filesOf(bundle, nowMs))
        assert.equal(readFileSync(join(directory, folder, path), 'utf8'), text);
      const listed = execFileSync('tar', ['-tvzf', 'r.tar.gz'], { cwd: directory, env: { ...process.env, TZ: 'UTC' } });
      assert.match(listed.toString(), /^-rw------- .* 2026-01-02 03:04 /);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses a path that an archive cannot hold', () => {
    assert.throws(() => tarOf([{ path: 'x'.repeat(101), text: '' }], 'f', 0), /too long/);
  });
});
