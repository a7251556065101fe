// Command lines of Timescale's prom-migrator and of vmctl: the answer, and the pages with their flags.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { runCommandLine } from '../../../src/cli/command-line.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { FLAG_PAGES, withFlagTables } from '../../../src/cli/other-tools/flag-pages.ts';
import { TIMESCALE_FLAGS } from '../../../src/cli/other-tools/timescale-flags.ts';
import { answerToOtherTools } from '../../../src/cli/other-tools/translate.ts';
import { VMCTL_FLAGS } from '../../../src/cli/other-tools/vmctl-flags.ts';
import { chooseDestination } from '../../../src/migration/ends/choose-destination.ts';
import { fakeIo } from '../fake-io.ts';

const noEngine = () => Promise.reject(new Error('the engine must not be needed'));

/** The command in the answer. */
function commandOf(argv: readonly string[]): string {
  return answerToOtherTools(argv)?.split('\n')[1]?.trim() ?? '';
}

const READ_AND_WRITE = ['-reader-url', 'http://a:1/api/v1/read', '-writer-url=http://b:2/api/v1/write'];
const RUN = 'prom-migrator run --source http://a:1/api/v1/read --destination http://b:2/api/v1/write';
const INIT = RUN.replace(' run ', ' init ');

const cases: [name: string, argv: string[], command: string][] = [
  ['without a start', READ_AND_WRITE, `${RUN} --start TIME`],
  ['two dashes', READ_AND_WRITE.map((word) => word.replace(/^-/, '--')), `${RUN} --start TIME`],
  ['after run', ['run', ...READ_AND_WRITE, '-start', '5'], `${RUN} --start 5`],
  [
    'range, selector, name',
    [
      ...READ_AND_WRITE,
      '-start',
      "'2024-01-01T00:00:00Z'",
      '-end=9',
      '-reader-metrics-matcher',
      '{a="it\'s"}',
      '-migration-name',
      'My_Copy',
    ],
    `${RUN} --start 2024-01-01T00:00:00Z --end 9 --selector '{a="it'\\''s"}' --name my-copy`,
  ],
  [
    'progress at a URL',
    [
      ...READ_AND_WRITE,
      '-start',
      '5',
      '-progress-metric-url',
      'http://b:2/api/v1/read',
      '-migration-name',
      'prom-migrator',
    ],
    `${RUN} --progress http://b:2/api/v1/read --start 5`,
  ],
  [
    'no progress',
    [...READ_AND_WRITE, '-start', '5', '-progress-enabled=false', '-progress-metric-url', 'http://c'],
    `${RUN} --progress none --start 5`,
  ],
  ...['0', 'f', 'F', 'FALSE', 'False'].map((value): [string, string[], string] => [
    `no progress: ${value}`,
    [...READ_AND_WRITE, '-start', '5', `-progress-enabled=${value}`],
    `${RUN} --progress none --start 5`,
  ]),
  [
    'progress that is not turned off',
    [...READ_AND_WRITE, '-start', '5', '-progress-enabled=T', '-progress-metric-url=http://c'],
    `${RUN} --progress http://c --start 5`,
  ],
  ...(
    [
      ['http://vminsert:8480/insert/3:4/prometheus', 'http://vminsert:8480/insert/3:4/prometheus'],
      ['http://vminsert:8480', 'http://vminsert:8480'],
    ] as const
  ).map(([given, destination]): [string, string[], string] => [
    `a cluster of vm-native: ${given}`,
    ['vm-native', '--vm-native-src-addr=http://a:1', `--vm-native-dst-addr=${given}`],
    `prom-migrator run --source http://a:1 --destination ${destination} --progress http://vmselect:8481/select/${given.includes('3:4') ? '3:4' : '0'}/prometheus --start TIME`,
  ]),
  [
    'what is not needed',
    [...READ_AND_WRITE, '-start', '5', '-gc-on-push', '-reader-on-error', 'retry'],
    `${RUN} --start 5`,
  ],
  [
    'fields of a manifest',
    [...READ_AND_WRITE, '-start', '5', '-max-read-size', '50MB'],
    `${INIT} --start 5 --output migration.yaml`,
  ],
  [
    'remote-read of vmctl',
    [
      'remote-read',
      '--remote-read-src-addr=http://a:1',
      '--remote-read-filter-time-start=2024-01-01T00:00:00Z',
      '--remote-read-step-interval=day',
    ],
    'prom-migrator run --source http://a:1 --destination http://localhost:8428 --start 2024-01-01T00:00:00Z',
  ],
  [
    'a cluster, and labels',
    [
      ...['--remote-read-src-addr', 'http://a:1', '--vm-addr', 'http://b:2/', '--vm-account-id', '7'],
      ...[
        '--remote-read-filter-label',
        'job',
        '--remote-read-filter-label-value',
        'a.*',
        '--remote-read-filter-label',
        'x',
      ],
    ],
    `prom-migrator run --source http://a:1 --destination http://b:2/insert/7/prometheus --progress http://VMSELECT:8481/select/7/prometheus --start TIME --selector '{job=~"a.*",x=~".*"}'`,
  ],
  [
    'vm-native',
    [
      'vm-native',
      '--vm-native-src-addr=http://a:1',
      '--vm-native-dst-addr=http://b:2',
      '--vm-native-filter-match={a="b"}',
      '--vm-native-filter-time-start=5',
    ],
    `prom-migrator run --source http://a:1 --destination http://b:2 --start 5 --selector '{a="b"}'`,
  ],
];

describe('the flags of another tool', () => {
  it('are answered with a command that needs no other choice, for a cluster', () => {
    const [, destination = '', progress = ''] =
      /--destination (\S+) --progress (\S+)/.exec(
        commandOf([
          'vm-native',
          '--vm-native-src-addr=http://a:1',
          '--vm-native-dst-addr=http://vminsert:8480/insert/7/prometheus',
        ]),
      ) ?? [];
    const look = { product: { name: 'VictoriaMetrics', how: 'found' }, isCluster: true } as const;
    const choice = chooseDestination(destination, look, { progress, mayGuess: false });
    assert.deepEqual(choice.progress, { protocol: 'PromQL', url: 'http://vmselect:8481/select/7/prometheus' });
  });

  for (const [name, argv, command] of cases)
    it(`are answered with a command: ${name}`, () => assert.equal(commandOf(argv), command));

  it('end with exit code 2, on stderr', async () => {
    const io = fakeIo();
    assert.equal(await runCommandLine([...READ_AND_WRITE, '-start', '5'], io, noEngine), 2);
    assert.equal(io.stdout.text, '');
    assert.match(
      io.stderr.text,
      /^prom-migrator: these are flags of Timescale's prom-migrator\. .*\n {2}prom-migrator run --source /,
    );
  });

  it('never show a secret, wherever it is', async () => {
    const secret = 'canary-1234';
    const secrets = [
      ...TIMESCALE_FLAGS.filter(({ where, isSwitch }) => where !== 'flag' && isSwitch !== true).map(
        ({ name }) => `-${name}=${secret}`,
      ),
      ...[
        '-reader-url',
        `http://u:${secret}@a:1/read?p=${secret}&db=x`,
        '-writer-url',
        secret,
        '-progress-metric-url',
        `http://${secret}@c/`,
      ],
    ];
    const ofVmctl = [
      ...VMCTL_FLAGS.filter(({ where, isSwitch }) => where !== 'flag' && isSwitch !== true).map(
        ({ name }) => `--${name}=${secret}`,
      ),
      ...['--vm-addr', `http://u:${secret}@a:1`, '--remote-read-src-addr', secret],
    ];
    for (const argv of [secrets, ofVmctl]) {
      const io = fakeIo();
      assert.equal(await runCommandLine(argv, io, noEngine), 2);
      assert.ok(!io.stderr.text.includes(secret), io.stderr.text);
    }
    assert.match(
      commandOf(secrets),
      /^prom-migrator init --source 'http:\/\/a:1\/read\?p=\*\*\*&db=x' --destination URL/,
    );
  });

  for (const argv of [
    ['run', '-f', 'x', '--outptu'],
    ['-start', '5'],
    ['run', '--start', 'x', '--end', 'y'],
    ['-version'],
    ['--verbose'],
  ])
    it(`are not these: ${argv.join(' ')}`, () => assert.equal(answerToOtherTools(argv), undefined));

  it('have none of our names, apart from those that mean the same', () => {
    const ours = new Set(COMMANDS.flatMap(({ flags }) => flags.map(({ name }) => name)));
    const shared = [...TIMESCALE_FLAGS, ...VMCTL_FLAGS].map(({ name }) => name).filter((name) => ours.has(name));
    assert.deepEqual(shared, ['version', 'start', 'end']);
  });
});

describe('the pages about other tools', () => {
  it('have the current tables (node scripts/docs-errors.ts writes them)', () => {
    for (const name of FLAG_PAGES) {
      const page = readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
      assert.equal(withFlagTables(page), page);
    }
  });

  it('have a row for each flag, and each row is a flag', () => {
    const rows = FLAG_PAGES.map((name) =>
      [...readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8').matchAll(/^\| `--?([\w.-]+)` \|/gm)].map(
        ([, flag]) => flag,
      ),
    );
    assert.deepEqual(rows, [TIMESCALE_FLAGS.map(({ name }) => name), VMCTL_FLAGS.map(({ name }) => name)]);
    assert.equal(rows[0]?.length, 58, 'the 57 flags of version 0.0.6, and -version');
    assert.equal(new Set(rows[1]).size, rows[1]?.length);
  });

  it('name only flags and fields that exist here', () => {
    const flags = new Set(COMMANDS.flatMap((command) => command.flags.map(({ name }) => name)));
    for (const { name, here } of [...TIMESCALE_FLAGS, ...VMCTL_FLAGS])
      for (const [, flag = ''] of here.matchAll(/`--([a-z-]+)/g)) assert.ok(flags.has(flag), `${name}: --${flag}`);
    const manifest = readFileSync(new URL('../../../docs/manifest.md', import.meta.url), 'utf8');
    for (const { name, here } of [...TIMESCALE_FLAGS, ...VMCTL_FLAGS])
      for (const [, field = ''] of here.matchAll(/`spec\.(?:[a-zA-Z]+\.)*([a-zA-Z]+)/g))
        assert.ok(manifest.includes(`| \`${field}\``), `${name}: ${field}`);
  });
});
