// The flags of Timescale's prom-migrator 0.0.6, which came with Promscale, and what they are here.

import { type OldFlag, several } from './old-flags.ts';

const RETRIES = 'not needed: failures that may pass are retried, with growing pauses, until they have passed';

function auth(prefix: string, passwordPrefix: string, path: string): OldFlag[] {
  const basic = { where: 'manifest', here: `\`spec.${path}.basicAuth\`, which refers to a Secret` } as const;
  const bearer = { where: 'manifest', here: `\`spec.${path}.authorization\`, which refers to a Secret` } as const;
  return [
    ...several([`${prefix}-username`, `${passwordPrefix}-password`, `${passwordPrefix}-password-file`], basic),
    ...several([`${passwordPrefix}-bearer-token`, `${passwordPrefix}-bearer-token-file`], bearer),
  ];
}

function tls(prefix: string, path: string): OldFlag[] {
  const field = (name: string) => ({ where: 'manifest', here: `\`spec.${path}.tls.${name}\`` }) as const;
  return [
    { name: `${prefix}-tls-ca-file`, ...field('ca') },
    { name: `${prefix}-tls-cert-file`, ...field('cert') },
    { name: `${prefix}-tls-key-file`, ...field('keySecret') },
    { name: `${prefix}-tls-server-name`, ...field('serverName') },
    { name: `${prefix}-tls-insecure-skip-verify`, isSwitch: true, ...field('insecureSkipVerify') },
  ];
}

const PROGRESS = 'destination.progress';

export const TIMESCALE_FLAGS: readonly OldFlag[] = [
  { name: 'version', isSwitch: true, where: 'flag', here: '`--version`' },
  {
    name: 'migration-name',
    where: 'flag',
    here: '`--name`, in lower case. Marks are also told apart by source, selectors and start, so that two migrations with one name do not meet',
  },
  {
    name: 'start',
    where: 'flag',
    here: '`--start`, RFC 3339 or Unix seconds. It is required; milliseconds are refused',
  },
  {
    name: 'end',
    where: 'flag',
    here: '`--end`, exclusive. Without it, the end is five minutes before the first start, and later runs remember it',
  },
  {
    name: 'max-read-size',
    where: 'manifest',
    here: '`spec.limits.memory`, which bounds all the memory for samples. A window that does not fit is divided',
  },
  { name: 'max-read-duration', where: 'manifest', here: '`spec.window.max`' },
  {
    name: 'slab-range-increment',
    where: 'nothing',
    here: 'not needed: the length of a window follows the size of the last one',
  },
  {
    name: 'concurrent-pull',
    where: 'manifest',
    here: '`spec.execution.parallelism`, for destinations that accept any order. Not needed for speed in most cases',
  },
  {
    name: 'concurrent-push',
    where: 'manifest',
    here: '`spec.limits.inFlightWrites`, 8 by default. The samples of a series stay in order',
  },
  { name: 'gc-on-push', isSwitch: true, where: 'nothing', here: 'not needed: memory is bounded' },
  { name: 'reader-url', where: 'flag', here: '`--source`' },
  { name: 'reader-timeout', where: 'manifest', here: '`spec.source.timeouts.firstByte` and `silence`' },
  { name: 'reader-retry-delay', where: 'nothing', here: RETRIES },
  { name: 'reader-max-retries', where: 'nothing', here: RETRIES },
  { name: 'reader-on-timeout', where: 'nothing', here: RETRIES },
  { name: 'reader-on-error', where: 'nothing', here: `${RETRIES}; nothing is skipped` },
  { name: 'reader-metrics-matcher', where: 'flag', here: '`--selector`, which may be repeated' },
  { name: 'reader-http-header', where: 'manifest', here: '`spec.source.headers`, or `tenant`' },
  { name: 'writer-url', where: 'flag', here: '`--destination`' },
  { name: 'writer-timeout', where: 'manifest', here: '`spec.destination.timeouts.firstByte` and `silence`' },
  { name: 'writer-retry-delay', where: 'nothing', here: RETRIES },
  { name: 'writer-max-retries', where: 'nothing', here: RETRIES },
  { name: 'writer-on-timeout', where: 'nothing', here: RETRIES },
  {
    name: 'writer-on-error',
    where: 'manifest',
    here: '`spec.rejectedSamples`: `Fail`, or `Skip`, which leaves out and counts only the samples that the destination rejects',
  },
  {
    name: 'writer-http-header',
    where: 'manifest',
    here: '`spec.destination.headers`, or `tenant`; they are sent to read the progress as well',
  },
  { name: 'progress-enabled', isSwitch: true, where: 'flag', here: '`--progress none` for `false`' },
  {
    name: 'progress-metric-name',
    where: 'nothing',
    here: 'always `prom_migrator_progress`; `spec.destination.progress.labels` adds labels to it',
  },
  {
    name: 'progress-metric-url',
    where: 'flag',
    here: '`--progress`, if it is not at the address of the destination. A query API will do, so VictoriaMetrics and Thanos resume as well',
  },
  ...auth('reader-auth', 'reader-auth', 'source'),
  ...auth('writer-auth', 'writer-auth', 'destination'),
  ...auth('progress-metric-auth', 'progress-metric', PROGRESS),
  ...tls('reader', 'source'),
  ...tls('writer', 'destination'),
  ...tls('progress-metric', PROGRESS),
];
