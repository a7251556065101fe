// Command lines of other migration tools: which tool it is, and the command that does the same here. Pure. No value is shown that may be a secret.

import { selectUrl } from '../../migration/ends/choose-destination.ts';
import { type GivenFlag, givenFlags } from './old-flags.ts';
import { TIMESCALE_FLAGS } from './timescale-flags.ts';
import { VMCTL_FLAGS } from './vmctl-flags.ts';

/** Flags that others have as well, which show nothing. */
const COMMON: ReadonlySet<string> = new Set(['start', 'end', 'version', 's', 'verbose']);
const VMCTL_MODES: readonly string[] = ['remote-read', 'vm-native'];
/** Of a query string: others may be credentials (InfluxDB has u and p). */
const SHOWN_PARAMETERS: ReadonlySet<string> = new Set(['db', 'rp']);
/** Of a boolean flag, as Go's strconv.ParseBool reads it. */
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'False', 'FALSE']);
const TIMESCALE_NAME = 'prom-migrator';

type Words = readonly (readonly [flag: string, value: string])[];

interface Translated {
  readonly tool: string;
  readonly page: string;
  readonly dashes: '-' | '--';
  readonly words: Words;
  readonly others: readonly GivenFlag[];
}

/** What to tell someone who uses the flags of another tool; undefined if these are not such. */
export function answerToOtherTools(argv: readonly string[]): string | undefined {
  const translated = timescale(argv) ?? vmctl(argv);
  return translated === undefined ? undefined : answer(translated);
}

function timescale(argv: readonly string[]): Translated | undefined {
  const given = givenFlags(argv, TIMESCALE_FLAGS);
  if (!given.some(({ flag }) => !COMMON.has(flag.name))) return undefined;
  const last = lastOf(given);
  const name = last('migration-name');
  const progressUrl = last('progress-metric-url');
  const progress = FALSE.has(last('progress-enabled') ?? '') ? 'none' : progressUrl && shownUrl(progressUrl);
  return {
    tool: "Timescale's prom-migrator",
    page: 'docs/from-prom-migrator.md',
    dashes: '-',
    words: wordsOf({
      source: shownUrl(last('reader-url')),
      destination: shownUrl(last('writer-url')),
      progress,
      // Its default text counts as not given.
      start: last('start')?.replaceAll("'", '') ?? 'TIME',
      end: last('end')?.replaceAll("'", ''),
      selector: last('reader-metrics-matcher'),
      name: name === undefined || name === TIMESCALE_NAME ? undefined : objectName(name),
    }),
    others: given.filter(({ flag }) => flag.where !== 'flag'),
  };
}

function vmctl(argv: readonly string[]): Translated | undefined {
  const given = givenFlags(argv, VMCTL_FLAGS);
  const [mode = ''] = argv;
  if (!VMCTL_MODES.includes(mode) && !given.some(({ flag }) => !COMMON.has(flag.name))) return undefined;
  const last = lastOf(given);
  const either = (...names: readonly string[]) => names.map(last).find((value) => value !== undefined);
  const account = last('vm-account-id');
  const address = shownUrl(
    either('vm-addr', 'vm-native-dst-addr') ?? (mode === 'vm-native' ? undefined : 'http://localhost:8428'),
  );
  const destination = account === undefined ? address : `${address.replace(/\/+$/, '')}/insert/${account}/prometheus`;
  const isSnapshot = last('prom-snapshot') !== undefined;
  return {
    tool: 'vmctl',
    page: 'docs/from-vmctl.md',
    dashes: '--',
    words: wordsOf({
      source: isSnapshot ? 'http://localhost:9090' : shownUrl(either('remote-read-src-addr', 'vm-native-src-addr')),
      destination,
      progress: clusterProgress(destination),
      start: either('remote-read-filter-time-start', 'vm-native-filter-time-start', 'prom-filter-time-start') ?? 'TIME',
      end: either('remote-read-filter-time-end', 'vm-native-filter-time-end', 'prom-filter-time-end'),
      selector: last('vm-native-filter-match') ?? labelSelector(given),
      name: undefined,
    }),
    others: given.filter(({ flag }) => flag.where !== 'flag'),
  };
}

/** A cluster is read at vmselect, which has another address. Its host cannot be known from every address of vminsert. */
function clusterProgress(destination: string): string | undefined {
  const url = URL.parse(destination);
  if (url === null) return undefined;
  const tenant = /\/insert\/([^/]+)/.exec(url.pathname)?.[1] ?? (/vminsert|:8480$/.test(url.host) ? '0' : undefined);
  if (tenant === undefined) return undefined;
  return url.hostname.includes('vminsert')
    ? selectUrl(destination, tenant)
    : `${url.protocol}//VMSELECT:8481/select/${tenant}/prometheus`;
}

/** vmctl pairs the n-th label with the n-th expression. */
function labelSelector(given: readonly GivenFlag[]): string | undefined {
  const all = (end: string) => given.filter(({ flag }) => flag.name.endsWith(end)).map(({ value }) => value);
  const [labels, values] = [all('-filter-label'), all('-filter-label-value')];
  if (labels.length === 0 && values.length === 0) return undefined;
  const matchers = Array.from({ length: Math.max(labels.length, values.length) }, (_, index) => {
    const value = (values[index] ?? '.*').replaceAll(/[\\"]/g, '\\$&');
    return `${labels[index] ?? '__name__'}=~"${value}"`;
  });
  return `{${matchers.join(',')}}`;
}

function lastOf(given: readonly GivenFlag[]): (name: string) => string | undefined {
  return (name) => given.findLast(({ flag, value }) => flag.name === name && value !== '')?.value;
}

function wordsOf(values: Readonly<Record<string, string | undefined>>): Words {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[`--${name}`, value] as const],
  );
}

/** Without credentials. What is no URL is not shown: it may be a password in the wrong place. */
function shownUrl(text: string | undefined): string {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'URL';
  const parameters = [...url.searchParams].map(
    ([name, value]) => `${name}=${SHOWN_PARAMETERS.has(name) ? encodeURIComponent(value) : '***'}`,
  );
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.protocol}//${url.host}${path}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

function objectName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '') || 'migration'
  );
}

function answer({ tool, page, dashes, words, others }: Translated): string {
  const credentials = words.some(([, value]) => value.includes('***'));
  const needsManifest = credentials || others.some(({ flag }) => flag.where === 'manifest');
  const flags = words.map(([flag, value]) => `${flag} ${quoted(value)}`).join(' ');
  const command = needsManifest
    ? [`  prom-migrator init ${flags} --output migration.yaml`, '  prom-migrator run -f migration.yaml']
    : [`  prom-migrator run ${flags}`];
  const seen = new Set<string>();
  const notes = others
    .filter(({ flag: { name } }) => !seen.has(name) && seen.add(name))
    .map(({ flag: { name, here } }) => `  ${dashes}${name}: ${here.replaceAll('`', '')}`);
  return [
    `these are flags of ${tool}. The same with this program:`,
    ...command,
    ...(notes.length === 0
      ? []
      : [needsManifest ? 'To set in migration.yaml, or not needed:' : 'Without an equivalent:', ...notes]),
    ...(credentials ? ['Credentials in a URL (***) belong into a Secret that the manifest refers to.'] : []),
    `Every flag: ${page}`,
  ].join('\n');
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
