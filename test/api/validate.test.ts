import assert from 'node:assert/strict';
import { badManifests, goodManifests } from './manifest-tables.ts';
import { type Changes, changed, documents, linesOf, load, secret, smallest } from './manifests.ts';

const aSecret = secret('a', { b: 'x' });
const aConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { b: 'x' } };

describe('an invalid manifest', () => {
  for (const [changes, lines] of badManifests) {
    const title = JSON.stringify(changes, (_, value) => (value === undefined ? '(none)' : value));
    it(`gets a readable error: ${title.slice(0, 120)}`, () => {
      // The Secret comes first, so that the documents are numbered 1 to 3 in every case.
      const response = linesOf(load(documents(changed(changes), aSecret, aConfigMap)));
      assert.deepEqual(
        response,
        lines.map((line) => `m.yaml, document 1: ${line}`),
      );
    });
  }

  it('gets an error for a regular expression that is not valid RE2', () => {
    const lines = linesOf(load(documents(changed({ 'spec.relabelings': [{ action: 'drop', regex: '(?=a)' }] }))));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^m\.yaml: spec\.relabelings\[0\]\.regex: "\(\?=a\)": not a valid RE2 regular expression: /,
    );
  });

  it('gets all errors at once, in an order independent of the order of its fields', () => {
    const wrong: Changes = {
      'spec.window.max': '1d',
      'spec.source.url': 'x',
      'spec.timeRange.start': 5,
      'spec.extra': 1,
    };
    const reverse = Object.fromEntries(Object.entries(wrong).reverse());
    const lines = linesOf(load(documents(changed(wrong))));
    assert.equal(lines.length, 4);
    assert.deepEqual(linesOf(load(documents(changed(reverse)))), lines);
  });

  it('gets errors that do not contain its secrets', () => {
    const hidden = 'hunter2';
    const everywhere: Changes = {
      'spec.source.url': `http://u:${hidden}@h/?p=${hidden}`,
      'spec.source.headers': { host: hidden },
      'spec.source.basicAuth': { username: hidden, password: { name: 'x', key: 'y', value: hidden } },
      'spec.destination.authorization': { type: `Bearer ${hidden}`, credentials: hidden },
      'spec.destination.tls': { ca: hidden, cert: hidden, keySecret: [hidden], serverName: `${hidden} ` },
      'spec.destination.password': hidden,
      'spec.destination.proxyUrl': `http://${hidden}@h`,
      'spec.selectors': [`http://u:${hidden}@h`],
      'metadata.password': hidden,
    };
    const lines = linesOf(load(documents(changed(everywhere))));
    assert.ok(lines.length >= 12, lines.join('\n'));
    assert.deepEqual(
      lines.filter((line) => line.includes(hidden)),
      [],
    );
  });
});

describe('a valid manifest', () => {
  for (const [name, changes] of goodManifests) {
    it(`passes: ${name}`, () => assert.deepEqual(linesOf(load(documents(changed(changes)))), []));
  }

  it('gets its defaults', () => {
    const loaded = load(documents(smallest()));
    assert.ok('migration' in loaded);
    const { spec } = loaded.migration;
    assert.equal(spec.source.readMode, 'Auto');
    assert.equal(spec.source.maxFrameBytes, '50Mi');
    assert.deepEqual(spec.source.timeouts, { connect: '10s', firstByte: '5m', silence: '2m' });
    assert.equal(spec.destination.ordering, 'InOrder');
    assert.equal(spec.destination.progress.timeouts, undefined);
    assert.deepEqual(spec.selectors, ['{__name__=~".+"}']);
    assert.deepEqual(spec.timeRange, { start: '2024-01-01T00:00:00Z', lag: '5m' });
    assert.deepEqual(spec.window, { min: '1s', targetSamples: 50_000_000 });
    assert.deepEqual(spec.limits, { memory: '128Mi', inFlightWrites: 8, samplesPerWrite: 50000 });
    const { execution } = spec;
    assert.deepEqual(execution, {
      mode: 'InProcess',
      parallelism: 1,
      order: 'OldestFirst',
      job: { backoffLimitPerIndex: 6 },
    });
    assert.equal(spec.rejectedSamples, 'Fail');
    assert.deepEqual(spec.verification, { mode: 'Off', onDifference: 'Fail', onExtra: 'Report', settle: '30s' });
    assert.equal(spec.suspend, false);
    assert.equal(spec.progressDeadlineSeconds, 600);
  });
});
