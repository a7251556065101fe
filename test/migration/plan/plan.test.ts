import assert from 'node:assert/strict';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { type Changes, changed, documents, linesOf, load } from '../../api/manifests.ts';
import { revealed } from '../../support/secrets.ts';
import { planOf } from '../support/compiled-plan.ts';

const ref = (key: string) => ({ name: 's', key });
describe('the plan of a migration', () => {
  it('has every default set and every text parsed', () => {
    const { id, ...plan } = planOf({});
    assert.match(id, /^[0-9a-f]{16}$/);
    const usual = {
      headers: {},
      auth: { kind: 'none' },
      tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
      timeouts: { connectMs: 10_000, firstByteMs: 300_000, silenceMs: 120_000 },
    };
    assert.deepEqual(revealed(plan), {
      migration: 'default/m',
      source: {
        side: 'source',
        url: 'http://source:9090/api/v1/read',
        ...usual,
        protocol: 'RemoteRead',
        readMode: 'Auto',
        maxFrameBytes: 50 * 2 ** 20,
        replicaLabels: [],
      },
      destination: { side: 'destination', url: 'http://destination:8428/api/v1/write', ...usual, ordering: 'InOrder' },
      progress: { protocol: 'PromQL', endpoint: { side: 'progress', url: 'http://destination:8428', ...usual } },
      progressLabels: {},
      selectors: [[{ kind: '=~', name: '__name__', value: '.+' }]],
      startMs: Date.UTC(2024, 0, 1),
      endMs: undefined,
      lagMs: 300_000,
      window: { minMs: 1000, maxMs: 3_600_000, comparedMaxMs: 7_200_000, targetSamples: 50_000_000 },
      limits: {
        memoryBytes: 128 * 2 ** 20,
        samplesPerSecond: undefined,
        bytesPerSecond: undefined,
        inFlightWrites: 8,
        samplesPerWrite: 50_000,
      },
      execution: { mode: 'InProcess', parallelism: 1, stretchMs: undefined, order: 'OldestFirst' },
      preflight: 'Warn',
      rejectedSamples: 'Fail',
      externalLabels: {},
      relabelings: [],
      verification: { mode: 'Off', onDifference: 'Fail', onExtra: 'Report', settleMs: 30_000 },
      stretch: undefined,
    });
  });

  it('has every field of the manifest', () => {
    const plan = planOf({
      'metadata.namespace': 'monitoring',
      'spec.source.readMode': 'Samples',
      'spec.source.maxFrameBytes': '1Gi',
      'spec.source.proxyUrl': 'http://proxy:3128',
      'spec.source.timeouts': { connect: '1m30s' },
      'spec.destination.ordering': 'Any',
      'spec.destination.progress.labels': { cluster: 'c' },
      'spec.selectors': ['up{a!="b"}', '{c!~"d",e="f"}'],
      'spec.timeRange': { start: '2024-01-01T00:00:00.5Z', end: '2024-01-02T00:00:00+01:00', lag: '1d' },
      'spec.window': { min: '2s', max: '1h', targetSamples: 5000 },
      'spec.limits': {
        memory: '67108864',
        samplesPerSecond: 10,
        bytesPerSecond: '1.5M',
        inFlightWrites: 64,
        samplesPerWrite: 1,
      },
      'spec.execution': { mode: 'Job', parallelism: 12, stretch: '1d12h', order: 'NewestFirst' },
      'spec.rejectedSamples': 'Skip',
      'spec.externalLabels': { zone: 'z' },
      'spec.relabelings': [
        { action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b', modulus: 8 },
        { action: 'labeldrop', regex: 'x' },
      ],
      'spec.verification': { mode: 'Full', onDifference: 'Repair', onExtra: 'Ignore', settle: '1m30s' },
    });
    assert.deepEqual(plan.verification, { mode: 'Full', onDifference: 'Repair', onExtra: 'Ignore', settleMs: 90_000 });
    assert.equal(plan.migration, 'monitoring/m');
    assert.equal(plan.source.readMode, 'Samples');
    assert.equal(plan.source.maxFrameBytes, 2 ** 30);
    assert.equal(plan.source.proxyUrl?.reveal(), 'http://proxy:3128');
    assert.deepEqual(plan.source.timeouts, { connectMs: 90_000, firstByteMs: 300_000, silenceMs: 120_000 });
    assert.deepEqual(plan.progressLabels, { cluster: 'c' });
    assert.deepEqual(plan.selectors, [
      [
        { kind: '=', name: '__name__', value: 'up' },
        { kind: '!=', name: 'a', value: 'b' },
      ],
      [
        { kind: '!~', name: 'c', value: 'd' },
        { kind: '=', name: 'e', value: 'f' },
      ],
    ]);
    assert.equal(plan.startMs, Date.UTC(2024, 0, 1, 0, 0, 0, 500));
    assert.equal(plan.endMs, Date.UTC(2024, 0, 1, 23));
    assert.equal(plan.lagMs, 86_400_000);
    const maxMs = 3_600_000;
    assert.deepEqual(plan.window, { minMs: 2000, maxMs, comparedMaxMs: maxMs, targetSamples: 5000 });
    assert.deepEqual(plan.limits, {
      memoryBytes: 64 * 2 ** 20,
      samplesPerSecond: 10,
      bytesPerSecond: 1_500_000,
      inFlightWrites: 64,
      samplesPerWrite: 1,
    });
    const stretchMs = 36 * 3_600_000;
    assert.deepEqual(plan.execution, { mode: 'Job', parallelism: 12, stretchMs, order: 'NewestFirst' });
    assert.equal(plan.rejectedSamples, 'Skip');
    assert.deepEqual(plan.externalLabels, { zone: 'z' });
    const rule = { sourceLabels: [], separator: ';', regex: '(.*)', modulus: 0, targetLabel: '', replacement: '$1' };
    assert.deepEqual(plan.relabelings, [
      { ...rule, action: 'hashmod', sourceLabels: ['a'], targetLabel: 'b', modulus: 8 },
      { ...rule, action: 'labeldrop', regex: 'x' },
    ]);
  });

  it('has windows of up to two hours with ordering Any', () => {
    assert.equal(planOf({ 'spec.destination.ordering': 'Any' }).window.maxMs, 7_200_000);
  });

  it('sends the tenant as a header', () => {
    const plan = planOf({
      'spec.source': { url: 'http://s/', headers: { a: 'b' }, tenant: { value: 't' } },
      'spec.destination.tenant': { header: 'THANOS-TENANT', value: 'u' },
    });
    assert.deepEqual(revealed(plan.source.headers), { a: 'b', 'X-Scope-OrgID': 't' });
    assert.deepEqual(revealed(plan.destination.headers), { 'THANOS-TENANT': 'u' });
  });

  it('is deeply frozen', () => {
    const check = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      assert.ok(Object.isFrozen(value), path);
      for (const [name, field] of Object.entries(value)) check(field, `${path}.${name}`);
    };
    check(planOf({ 'spec.relabelings': [{ action: 'drop', sourceLabels: ['a'] }] }), 'plan');
  });
});

describe('the progress endpoint', () => {
  const destination: Changes = {
    'spec.destination.headers': { a: 'b' },
    'spec.destination.tenant': { value: 't' },
    'spec.destination.authorization': { credentials: ref('token') },
    'spec.destination.tls': { serverName: 'd', minVersion: 'TLS13' },
    'spec.destination.proxyUrl': 'http://proxy:1',
    'spec.destination.timeouts': { connect: '1s', silence: '3s' },
  };
  const values = { token: 'secret-token', other: 'other-token', user: 'u', pass: 'p' };

  function endpointOf(changes: Changes) {
    const { progress } = planOf({ ...destination, ...changes }, values);
    assert.ok(progress.protocol !== 'None');
    return progress.endpoint;
  }

  it('inherits the fields of the destination', () => {
    const endpoint = endpointOf({});
    assert.deepEqual(revealed(endpoint.headers), { a: 'b', 'X-Scope-OrgID': 't' });
    assert.equal(endpoint.auth.kind, 'authorization');
    assert.deepEqual(endpoint.tls, { serverName: 'd', insecureSkipVerify: false, minVersion: 'TLSv1.3' });
    assert.equal(endpoint.proxyUrl?.reveal(), 'http://proxy:1');
    assert.deepEqual(endpoint.timeouts, { connectMs: 1000, firstByteMs: 300_000, silenceMs: 3000 });
  });

  it('overrides them field by field', () => {
    const endpoint = endpointOf({
      'spec.destination.progress.headers': { c: 'd' },
      'spec.destination.progress.tenant': { header: 'x-scope-orgid', value: 'u' },
      'spec.destination.progress.basicAuth': { username: ref('user'), password: ref('pass') },
      'spec.destination.progress.tls': {},
      'spec.destination.progress.timeouts': { connect: '9s' },
    });
    assert.deepEqual(revealed(endpoint.headers), { c: 'd', 'x-scope-orgid': 'u' });
    assert.ok(endpoint.auth.kind === 'basic');
    assert.equal(endpoint.auth.username.reveal(), 'u');
    assert.deepEqual(endpoint.tls, { insecureSkipVerify: false, minVersion: 'TLSv1.2' });
    assert.deepEqual(endpoint.timeouts, { connectMs: 9000, firstByteMs: 300_000, silenceMs: 3000 });
  });

  it('does not send the tenant twice when the header is inherited', () => {
    const endpoint = endpointOf({
      'spec.destination.tenant': undefined,
      'spec.destination.headers': { 'x-scope-orgid': 'a' },
      'spec.destination.progress.tenant': { value: 'b' },
    });
    assert.deepEqual(revealed(endpoint.headers), { 'X-Scope-OrgID': 'b' });
  });

  it('is absent with None', () => {
    const { progress } = planOf({ 'spec.destination.progress': { protocol: 'None' } });
    assert.deepEqual(progress, { protocol: 'None' });
  });
});

describe('a value that cannot be parsed', () => {
  it('is a problem, and never a selector of everything or a duration of 0', () => {
    const loaded = load(documents(changed({})));
    assert.ok('migration' in loaded);
    const { spec, ...rest } = loaded.migration;
    const timeRange = { ...spec.timeRange, lag: '5x' };
    const migration = { ...rest, spec: { ...spec, selectors: ['up', 'up[5m]'], timeRange } };
    assert.deepEqual(linesOf(compilePlan(migration, { get: () => undefined })), [
      'spec.selectors[1]: "up[5m]": must be a PromQL series selector: a range is not allowed here; use spec.timeRange (at character 3)',
      'spec.timeRange.lag: "5x": must be a Prometheus duration such as 90s or 1h30m',
    ]);
  });
});
