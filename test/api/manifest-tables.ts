// Valid and invalid manifests, with all errors of each. The unit tests check `run`; the tests on a real API server check the CRD.

import { badEndpoints } from './manifest-endpoint-tables.ts';
import { badExecutions, goodExecutions } from './manifest-execution-tables.ts';
import { badSources, goodSources } from './manifest-source-tables.ts';
import { badVerifications } from './manifest-verification-tables.ts';
import type { Changes } from './manifests.ts';

const time = 'must be an RFC 3339 time with at most milliseconds, such as 2024-01-31T00:00:00Z';
const tooLong =
  'must not be longer than 1h with destination.ordering InOrder: a Prometheus-like store rejects samples more than an hour older ' +
  'than its newest sample; use a shorter window, or ordering Any if the store accepts samples of any age';
const windowBound = 'must be a duration from 1s to 6h, such as 90s or 1h30m (units h, m, s, ms)';
const memory = 'must be a quantity of bytes from 32Mi to 1Ti, such as 256Mi or 1G';
const targetRequired = 'is required with the actions replace, hashmod, lowercase, uppercase, keepequal and dropequal';
const nonEmptyMatcher =
  'must contain at least one matcher that does not match the empty string, such as __name__=~".+"';
/** Changes to the smallest manifest, and all resulting errors, each line without its `m.yaml: ` prefix. */
export const badManifests: readonly (readonly [Changes, readonly string[]])[] = [
  ...badEndpoints,
  ...badVerifications,
  ...badExecutions,
  ...badSources,

  // Required fields.
  [{ spec: undefined }, ['spec: is required: What to copy, from where, and to where']],
  [{ 'spec.source': undefined }, ['spec.source: is required: Where samples are read from']],
  [
    { 'spec.source.url': null },
    [
      'spec.source.url: is required: With RemoteRead, the remote_read URL, used as given, including path and query: http://prometheus:9090/api/v1/read, ' +
        'http://mimir/prometheus/api/v1/read, http://influxdb:8086/api/v1/prom/read?db=prometheus',
    ],
  ],
  [
    { 'spec.destination.progress': undefined },
    ['spec.destination.progress: is required: How the migration finds its resume point'],
  ],
  [
    { 'spec.destination.progress.url': undefined },
    [
      'spec.destination.progress.url: is required unless protocol has the value None: the URL from which the progress marks are read back',
    ],
  ],
  [
    { 'spec.timeRange.start': undefined },
    [
      'spec.timeRange.start: is required: Start of the range (inclusive), RFC 3339 with at most milliseconds, such as 2024-01-31T00:00:00Z',
    ],
  ],
  // Unknown fields: values are never shown, because they could be passwords.
  [{ 'spec.source.ulr': 'x' }, ['spec.source.ulr: unknown field; did you mean url?']],
  [
    { 'spec.target': {} },
    [
      'spec.target: unknown field; known fields: source, destination, selectors, timeRange, window, limits, execution, rejectedSamples, verification, preflight, externalLabels, relabelings, suspend, progressDeadlineSeconds, activeDeadlineSeconds, ttlSecondsAfterFinished',
    ],
  ],
  [{ 'spec.source.basic_auth': {} }, ['spec.source.basic_auth: unknown field; did you mean basicAuth?']],
  [
    { 'spec.relabelings': [{ source_labels: ['a'], target_label: 'b' }] },
    [
      'spec.relabelings[0].source_labels: unknown field; did you mean sourceLabels?',
      'spec.relabelings[0].target_label: unknown field; did you mean targetLabel?',
      `spec.relabelings[0].targetLabel: ${targetRequired}`,
    ],
  ],
  [
    { 'spec.source': { url: 'http://s/', __prototype__x: 1, 'a b': 2 } },
    [
      'spec.source.__prototype__x: unknown field; known fields: protocol, url, readMode, maxFrameBytes, replicaLabels, headers, tenant, basicAuth, authorization, tls, oauth2, sigv4, azureAd, proxyUrl, timeouts',
      'spec.source["a b"]: unknown field; known fields: protocol, url, readMode, maxFrameBytes, replicaLabels, headers, tenant, basicAuth, authorization, tls, oauth2, sigv4, azureAd, proxyUrl, timeouts',
    ],
  ],
  [{ extra: 1 }, ['extra: unknown field; known fields: apiVersion, kind, metadata, spec, status']],
  // Wrong types.
  [{ 'spec.source.url': 5 }, ['spec.source.url: 5: must be a string; put it in quotes']],
  [{ spec: [] }, ['spec: must be an object with fields']],
  [{ 'spec.selectors': 'up' }, ['spec.selectors: must be a list']],
  [{ 'spec.suspend': 'yes' }, ['spec.suspend: "yes": must be true or false']],
  [{ 'spec.limits.inFlightWrites': 1.5 }, ['spec.limits.inFlightWrites: 1.5: must be a whole number']],
  [{ 'spec.limits.memory': true }, ['spec.limits.memory: true: must be a string; put it in quotes']],
  [{ 'spec.source.basicAuth': 'admin:hunter2' }, ['spec.source.basicAuth: must be an object with fields']],
  [
    { 'spec.source.basicAuth': { username: 'admin', password: 'hunter2' } },
    [
      'spec.source.basicAuth.password: must be an object with fields',
      'spec.source.basicAuth.username: must be an object with fields',
    ],
  ],
  [{ 'spec.externalLabels': { zone: 5 } }, ['spec.externalLabels.zone: 5: must be a string; put it in quotes']],
  // Enumerations and bounds.
  [{ 'spec.rejectedSamples': 'skip' }, ['spec.rejectedSamples: "skip": must be one of Fail, Skip; did you mean Skip?']],
  [
    { 'spec.destination.progress.protocol': 'HTTP' },
    ['spec.destination.progress.protocol: "HTTP": must be one of RemoteRead, PromQL, None'],
  ],
  [
    { 'spec.limits': { inFlightWrites: 65, samplesPerWrite: 0, samplesPerSecond: 0 } },
    [
      'spec.limits.inFlightWrites: 65: must be from 1 to 64',
      'spec.limits.samplesPerSecond: 0: must be at least 1',
      'spec.limits.samplesPerWrite: 0: must be from 1 to 100000',
    ],
  ],
  [{ 'spec.progressDeadlineSeconds': 29 }, ['spec.progressDeadlineSeconds: 29: must be from 30 to 2147483647']],
  [{ 'spec.selectors': [] }, ['spec.selectors: must not be empty']],
  [
    { 'spec.selectors': Array.from({ length: 1001 }, () => 'up') },
    ['spec.selectors: must not have more than 1000 entries'],
  ],
  [{ 'spec.limits.memory': '16Mi' }, [`spec.limits.memory: "16Mi": ${memory}`]],
  [{ 'spec.limits.memory': 1000 }, ['spec.limits.memory: 1000: must be a string; put it in quotes']],
  [{ 'spec.limits.memory': '256MB' }, [`spec.limits.memory: "256MB": ${memory}`]],
  [
    { 'spec.source.maxFrameBytes': '2Gi' },
    ['spec.source.maxFrameBytes: "2Gi": must be a quantity of bytes from 1Mi to 1Gi, such as 256Mi or 1G'],
  ],
  // Times and durations.
  [{ 'spec.timeRange.start': 'yesterday' }, [`spec.timeRange.start: "yesterday": ${time}`]],
  [{ 'spec.timeRange.start': '2024-01-01' }, [`spec.timeRange.start: "2024-01-01": ${time}`]],
  [{ 'spec.timeRange.start': '2024-02-30T00:00:00Z' }, [`spec.timeRange.start: "2024-02-30T00:00:00Z": ${time}`]],
  [
    { 'spec.timeRange.start': '2024-01-01T00:00:00.0001Z' },
    [`spec.timeRange.start: "2024-01-01T00:00:00.0001Z": ${time}`],
  ],
  [
    { 'spec.timeRange.end': '2024-01-01T00:00:00Z' },
    ['spec.timeRange.end: "2024-01-01T00:00:00Z": must be later than start'],
  ],
  [
    { 'spec.timeRange.end': '2024-01-01T00:59:59+01:00' },
    ['spec.timeRange.end: "2024-01-01T00:59:59+01:00": must be later than start'],
  ],
  [
    { 'spec.timeRange.start': '2027-01-01T00:00:00Z' },
    ['spec.timeRange.start: "2027-01-01T00:00:00Z": must be in the past (it is now 2026-01-01T00:00:00.000Z)'],
  ],
  [
    { 'spec.timeRange.start': '2025-12-31T23:57:00Z' },
    [
      'spec.timeRange.start: "2025-12-31T23:57:00Z": must be earlier than now minus lag, which is the end when end is omitted (it is now 2026-01-01T00:00:00.000Z)',
    ],
  ],
  [
    { 'spec.timeRange.end': '2026-02-01T00:00:00Z' },
    [
      'spec.timeRange.end: "2026-02-01T00:00:00Z": must not be in the future (it is now 2026-01-01T00:00:00.000Z); omit end to copy everything up to now',
    ],
  ],
  [
    { 'spec.timeRange.end': '9999-12-31T23:59:59-23:59' },
    [
      'spec.timeRange.end: "9999-12-31T23:59:59-23:59": must not be in the future (it is now 2026-01-01T00:00:00.000Z); omit end to copy everything up to now',
    ],
  ],
  [
    { 'spec.timeRange.lag': '5 minutes' },
    [
      'spec.timeRange.lag: "5 minutes": must be a Prometheus duration such as 5m, 1h30m or 0 (units y, w, d, h, m, s, ms)',
    ],
  ],
  [{ 'spec.window.max': '61m' }, [`spec.window.max: "61m": ${tooLong}`]],
  [{ 'spec.window.max': '1d' }, [`spec.window.max: "1d": ${windowBound}`]],
  [{ 'spec.window.max': '7h', 'spec.destination.ordering': 'Any' }, [`spec.window.max: "7h": ${windowBound}`]],
  [{ 'spec.window': { min: '10m', max: '5m' } }, ['spec.window.max: "5m": must be at least as long as min']],
  [
    { 'spec.window.min': '500ms' },
    ['spec.window.min: "500ms": must be a duration from 1s to 30m, such as 90s or 1h30m (units h, m, s, ms)'],
  ],
  [
    { 'spec.source.timeouts.connect': '0' },
    [
      'spec.source.timeouts.connect: "0": must be a duration from 100ms to 10m, such as 90s or 1h30m (units h, m, s, ms)',
    ],
  ],
  // Selectors.
  [
    { 'spec.selectors': ['up', 'up[5m]', '{a=~".*"}'] },
    [
      'spec.selectors[1]: "up[5m]": must be a PromQL series selector: a range is not allowed here; use spec.timeRange (at character 3)',
      `spec.selectors[2]: "{a=~\\".*\\"}": must be a PromQL series selector: ${nonEmptyMatcher}`,
    ],
  ],
  // Labels.
  [
    { 'spec.externalLabels': { __name__: 'x' } },
    ['spec.externalLabels: label names must not be empty or start with __'],
  ],
  [
    { 'spec.destination.progress.labels': { id: 'x' } },
    ['spec.destination.progress.labels: must not contain __name__, migration, id or shard: prom-migrator sets them'],
  ],
  [
    { 'spec.destination.progress.labels': { 'a-b': 'x' } },
    [
      'spec.destination.progress.labels: label names must be letters, digits and underscores, not starting with a digit',
    ],
  ],
  // Relabel rules, as Prometheus checks them.
  [
    { 'spec.relabelings': [{ action: 'labelDrop', regex: 'a' }] },
    [
      'spec.relabelings[0].action: "labelDrop": must be one of replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase; did you mean labeldrop?',
    ],
  ],
  [{ 'spec.relabelings': [{}] }, [`spec.relabelings[0].targetLabel: ${targetRequired}`]],
  [
    { 'spec.relabelings': [{ action: 'hashmod', targetLabel: 'a' }] },
    ['spec.relabelings[0].modulus: is required with the action hashmod'],
  ],
  [
    { 'spec.relabelings': [{ action: 'uppercase', targetLabel: 'a', replacement: 'x' }] },
    ['spec.relabelings[0].replacement: "x": cannot be used with the actions lowercase and uppercase'],
  ],
  [
    { 'spec.relabelings': [{ action: 'labelmap', regex: 'a', replacement: '' }] },
    ['spec.relabelings[0].replacement: "": must not be empty with the action labelmap'],
  ],
  [
    { 'spec.relabelings': [{ action: 'labelkeep', regex: 'a', separator: ',' }] },
    ['spec.relabelings[0]: the actions labeldrop and labelkeep take only regex'],
  ],
  [
    { 'spec.relabelings': [{ action: 'dropequal', targetLabel: 'a', regex: 'x' }] },
    ['spec.relabelings[0]: the actions keepequal and dropequal take only sourceLabels and targetLabel'],
  ],
  // Metadata.
  [{ metadata: undefined }, ['metadata.name: is required: the name of this object']],
  [
    { 'metadata.name': 'My Migration' },
    [
      'metadata.name: "My Migration": must be at most 253 lower case letters, digits, - and ., and each part between dots must start and end with a letter or digit',
    ],
  ],
  [
    { 'metadata.name': 'a.-b' },
    [
      'metadata.name: "a.-b": must be at most 253 lower case letters, digits, - and ., and each part between dots must start and end with a letter or digit',
    ],
  ],
  [
    { 'metadata.namespace': 'a.b' },
    [
      'metadata.namespace: "a.b": must be at most 63 lower case letters, digits and -, and start and end with a letter or digit',
    ],
  ],
  [{ 'metadata.namspace': 'a' }, ['metadata.namspace: unknown field; did you mean namespace?']],
];

/** A name, and the changes to the smallest manifest. */
export const goodManifests: readonly (readonly [string, Changes])[] = [
  ['the smallest manifest', {}],
  ['null for unset fields', { 'spec.timeRange.end': null, 'spec.window': null, 'spec.source.basicAuth': null }],
  ['progress None without a URL', { 'spec.destination.progress': { protocol: 'None' } }],
  ['an hour in order', { 'spec.window.max': '60m' }],
  ['6 hours in any order', { 'spec.window.max': '6h', 'spec.destination.ordering': 'Any' }],
  ['bytes without a unit', { 'spec.limits.memory': '33554432', 'spec.limits.bytesPerSecond': '10M' }],
  ['an offset and milliseconds', { 'spec.timeRange.end': '2024-01-01T01:00:00.001+01:00' }],
  ['the HA label of Mimir', { 'spec.destination.progress.labels': { __replica__: 'a', cluster: 'b' } }],
  ['a header of M3', { 'spec.source.headers': { 'M3-Storage-Policy': '1m:40d' } }],
  ['a verification', { 'spec.verification': { mode: 'Full', onDifference: 'Repair', settle: '0s' } }],
  [
    'settings of a verification that is off, and None',
    {
      'spec.verification': { onDifference: 'Report', settle: '1h' },
      'spec.destination.progress': { protocol: 'None' },
    },
  ],
  ...goodExecutions,
  ...goodSources,
  ['a status, as kubectl prints it', { status: { phase: 'Running', observedGeneration: 1 } }],
  [
    'every relabel action',
    {
      'spec.relabelings': [
        { sourceLabels: ['a', 'b'], separator: '', regex: '(.*)', targetLabel: 'x_$1', replacement: '' },
        { action: 'keep', sourceLabels: ['a'], regex: 'x' },
        { action: 'drop', sourceLabels: ['a'], regex: 'x' },
        { action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' },
        { action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' },
        { action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b', modulus: 8 },
        { action: 'labelmap', regex: 'a_(.+)' },
        { action: 'labeldrop', regex: 'a' },
        { action: 'labelkeep', regex: 'a' },
        { action: 'lowercase', sourceLabels: ['a'], targetLabel: 'a' },
        { action: 'uppercase', sourceLabels: ['a'], targetLabel: 'a' },
      ],
    },
  ],
];
