// The flags of vmctl: those of the mode remote-read, the main ones of vm-native and prometheus, and what they are here.

import { type OldFlag, several } from './old-flags.ts';

const STEP = 'not needed: the length of a window adapts to the source; `spec.window.max` bounds it';
const REVERSE = '`spec.execution.order: NewestFirst`, for destinations that accept any order';
const RETRIES = 'not needed: failures that may pass are retried on both sides, with growing pauses';
const SNAPSHOT = 'files are not read: start a Prometheus on the snapshot directory, and use its address as `--source`';

function access(prefix: string, path: string, { user, ca }: { readonly user: string; readonly ca: string }): OldFlag[] {
  const field = (name: string) => ({ where: 'manifest', here: `\`spec.${path}.${name}\`` }) as const;
  return [
    { name: `${prefix}-${user}`, where: 'manifest', here: `\`spec.${path}.basicAuth\`, which refers to a Secret` },
    { name: `${prefix}-password`, where: 'manifest', here: `\`spec.${path}.basicAuth\`, which refers to a Secret` },
    { name: `${prefix}-headers`, ...field('headers') },
    { name: `${prefix}-cert-file`, ...field('tls.cert') },
    { name: `${prefix}-key-file`, ...field('tls.keySecret') },
    { name: `${prefix}-${ca}-file`, ...field('tls.ca') },
    { name: `${prefix}-server-name`, ...field('tls.serverName') },
    { name: `${prefix}-insecure-skip-verify`, isSwitch: true, ...field('tls.insecureSkipVerify') },
  ];
}

function bearer(prefix: string, path: string): OldFlag {
  return {
    name: `${prefix}-bearer-token`,
    where: 'manifest',
    here: `\`spec.${path}.authorization\`, which refers to a Secret`,
  };
}

export const REMOTE_READ_FLAGS: readonly OldFlag[] = [
  { name: 'remote-read', isSwitch: true, where: 'nothing', here: 'not needed' },
  { name: 'remote-read-src-addr', where: 'flag', here: '`--source`: the address alone, or the whole URL' },
  {
    name: 'remote-read-disable-path-append',
    isSwitch: true,
    where: 'nothing',
    here: 'not needed: a URL with its path is used as it is',
  },
  { name: 'remote-read-filter-time-start', where: 'flag', here: '`--start`' },
  { name: 'remote-read-filter-time-end', where: 'flag', here: '`--end`, exclusive; default five minutes ago' },
  { name: 'remote-read-filter-time-reverse', isSwitch: true, where: 'manifest', here: REVERSE },
  { name: 'remote-read-filter-label', where: 'flag', here: '`--selector \'{label=~"value"}\'`' },
  {
    name: 'remote-read-filter-label-value',
    where: 'flag',
    here: 'the value in `--selector`; `=`, `!=` and `!~` work as well',
  },
  { name: 'remote-read-step-interval', where: 'nothing', here: STEP },
  { name: 'remote-read-concurrency', where: 'manifest', here: '`spec.execution.parallelism`' },
  {
    name: 'remote-read-use-stream',
    isSwitch: true,
    where: 'nothing',
    here: 'not needed: streamed if the source can; `spec.source.readMode: Samples` turns it off',
  },
  { name: 'remote-read-http-timeout', where: 'manifest', here: '`spec.source.timeouts.firstByte` and `silence`' },
  ...access('remote-read', 'source', { user: 'user', ca: 'CA' }),
];

export const VM_FLAGS: readonly OldFlag[] = [
  { name: 'vm-addr', where: 'flag', here: '`--destination`; any store with remote write' },
  {
    name: 'vm-account-id',
    where: 'flag',
    here: 'a part of the path: `--destination http://vminsert:8480/insert/ID/prometheus`, with `--progress http://vmselect:8481/select/ID/prometheus`',
  },
  { name: 'vm-concurrency', where: 'manifest', here: '`spec.limits.inFlightWrites`, 8 by default' },
  { name: 'vm-compress', isSwitch: true, where: 'nothing', here: 'not needed: remote write is always compressed' },
  { name: 'vm-batch-size', where: 'manifest', here: '`spec.limits.samplesPerWrite`' },
  ...several(['vm-significant-figures', 'vm-round-digits'], {
    where: 'nothing',
    here: 'there is nothing like it: values are copied bit for bit',
  }),
  {
    name: 'vm-extra-label',
    where: 'manifest',
    here: '`spec.externalLabels`, which do not replace a label of the series; `spec.relabelings` do',
  },
  { name: 'vm-rate-limit', where: 'manifest', here: '`spec.limits.bytesPerSecond`, for all requests together' },
  ...several(['vm-backoff-retries', 'vm-backoff-factor', 'vm-backoff-min-duration'], {
    where: 'nothing',
    here: RETRIES,
  }),
  ...access('vm', 'destination', { user: 'user', ca: 'CA' }),
  bearer('vm', 'destination'),
];

export const VM_NATIVE_FLAGS: readonly OldFlag[] = [
  {
    name: 'vm-native-src-addr',
    where: 'flag',
    here: '`--source`; with the tenant of a cluster: `http://vmselect:8481/select/0/prometheus`',
  },
  {
    name: 'vm-native-dst-addr',
    where: 'flag',
    here: '`--destination`; with the tenant of a cluster: `http://vminsert:8480/insert/0/prometheus`, with `--progress http://vmselect:8481/select/0/prometheus`',
  },
  { name: 'vm-native-filter-match', where: 'flag', here: '`--selector`' },
  { name: 'vm-native-filter-time-start', where: 'flag', here: '`--start`, RFC 3339 or Unix seconds' },
  { name: 'vm-native-filter-time-end', where: 'flag', here: '`--end`, exclusive' },
  { name: 'vm-native-filter-time-reverse', isSwitch: true, where: 'manifest', here: REVERSE },
  { name: 'vm-native-step-interval', where: 'nothing', here: STEP },
  {
    name: 'vm-intercluster',
    isSwitch: true,
    where: 'nothing',
    here: 'there is nothing like it: one migration for each tenant',
  },
  ...several(
    [
      'vm-native-disable-binary-protocol',
      'vm-native-disable-http-keep-alive',
      'vm-native-disable-per-metric-migration',
    ],
    {
      isSwitch: true,
      where: 'nothing',
      here: 'not needed: JSON is read where the binary export cannot be',
    },
  ),
  ...several(['vm-native-backoff-retries', 'vm-native-backoff-factor', 'vm-native-backoff-min-duration'], {
    where: 'nothing',
    here: RETRIES,
  }),
  ...access('vm-native-src', 'source', { user: 'user', ca: 'ca' }),
  bearer('vm-native-src', 'source'),
  ...access('vm-native-dst', 'destination', { user: 'user', ca: 'ca' }),
  bearer('vm-native-dst', 'destination'),
];

export const SNAPSHOT_FLAGS: readonly OldFlag[] = [
  { name: 'prom-snapshot', where: 'nothing', here: SNAPSHOT },
  { name: 'prom-concurrency', where: 'manifest', here: '`spec.execution.parallelism`' },
  { name: 'prom-filter-time-start', where: 'flag', here: '`--start`' },
  { name: 'prom-filter-time-end', where: 'flag', here: '`--end`, exclusive' },
  { name: 'prom-filter-label', where: 'flag', here: '`--selector \'{label=~"value"}\'`' },
  { name: 'prom-filter-label-value', where: 'flag', here: 'the value in `--selector`' },
  { name: 'prom-tmp-dir-path', where: 'nothing', here: 'not needed: nothing is written to disk' },
];

export const GLOBAL_VMCTL_FLAGS: readonly OldFlag[] = [
  { name: 's', isSwitch: true, where: 'nothing', here: 'not needed: nothing is asked' },
  { name: 'verbose', isSwitch: true, where: 'nothing', here: '`--log-level debug`' },
  {
    name: 'disable-progress-bar',
    isSwitch: true,
    where: 'nothing',
    here: 'not needed: without a terminal, no bar is shown; `--log-format json` turns it off',
  },
  ...several(['pushmetrics.url', 'pushmetrics.interval', 'pushmetrics.extraLabel', 'pushmetrics.header'], {
    where: 'nothing',
    here: '`--metrics-address` serves metrics; nothing is pushed',
  }),
  { name: 'pushmetrics.disableCompression', isSwitch: true, where: 'nothing', here: 'nothing is pushed' },
];

export const VMCTL_FLAGS: readonly OldFlag[] = [
  ...REMOTE_READ_FLAGS,
  ...VM_FLAGS,
  ...VM_NATIVE_FLAGS,
  ...SNAPSHOT_FLAGS,
  ...GLOBAL_VMCTL_FLAGS,
];
