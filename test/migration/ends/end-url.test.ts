// The URLs of both ends, and the name that follows from them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { baseUrl, isComplete, joined, nameOf, withDatabase } from '../../../src/migration/ends/end-url.ts';

describe('the URL of an end', () => {
  const complete: [url: string, base: string][] = [
    ['http://prometheus:9090/api/v1/read', 'http://prometheus:9090'],
    ['http://prometheus:9090/api/v1/write/', 'http://prometheus:9090'],
    ['http://host/prefix/api/v1/write?x=1', 'http://host/prefix?x=1'],
    ['http://mimir/prometheus/api/v1/read', 'http://mimir/prometheus'],
    ['http://mimir/api/v1/push', 'http://mimir'],
    ['http://thanos:19291/api/v1/receive', 'http://thanos:19291'],
    ['http://m3:7201/api/v1/prom/remote/write', 'http://m3:7201'],
    ['http://influxdb:8086/api/v1/prom/read?db=a', 'http://influxdb:8086?db=a'],
    ['http://promscale:9201/read', 'http://promscale:9201'],
    ['http://vminsert:8480/insert/7/prometheus/api/v1/write', 'http://vminsert:8480/insert/7/prometheus'],
    ['https://x.grafana.net/api/prom/push', 'https://x.grafana.net'],
  ];
  for (const [url, base] of complete)
    it(`is complete, with a base: ${url}`, () => {
      assert.equal(isComplete(url), true);
      assert.equal(baseUrl(url), base);
    });

  for (const url of [
    'http://a:1',
    'http://a/prometheus',
    'http://a/select/0/prometheus/',
    'http://a/readers',
    'http://a/?read',
  ])
    it(`is not complete: ${url}`, () => assert.equal(isComplete(url), false));

  const joins: [base: string, path: string, url: string][] = [
    ['http://a:1', '/api/v1/read', 'http://a:1/api/v1/read'],
    ['http://a:1/', '/api/v1/read', 'http://a:1/api/v1/read'],
    ['http://a/prometheus', '/prometheus/api/v1/read', 'http://a/prometheus/api/v1/read'],
    ['http://a/x/prometheus/', '/prometheus/api/v1/read', 'http://a/x/prometheus/api/v1/read'],
    ['http://a/api/prom', '/api/prom/push', 'http://a/api/prom/push'],
    ['http://a/prefix?b=c', '/write', 'http://a/prefix/write?b=c'],
  ];
  for (const [base, path, url] of joins) it(`${base} and ${path}`, () => assert.equal(joined(base, path), url));

  it('keeps the database that it names', () => {
    assert.deepEqual(withDatabase('http://a/read?db=mine'), { url: 'http://a/read?db=mine', isGuessed: false });
    assert.deepEqual(withDatabase('http://a/read'), { url: 'http://a/read?db=prometheus', isGuessed: true });
  });
});

describe('the default name of a migration', () => {
  it('has hosts and ports', () =>
    assert.equal(
      nameOf('http://Prometheus:9090/api/v1/read', 'https://victoria.example.com/'),
      'prometheus-9090-to-victoria.example.com',
    ));
  it('is a name of Kubernetes also with IPv6', () =>
    assert.equal(nameOf('http://[::1]:9090', 'grpc://[fe80::2]'), '1-9090-to-fe80-2'));
  it('does not end a host with its dot', () =>
    assert.equal(
      nameOf('http://prometheus.monitoring.svc.cluster.local.:9090', 'http://vm.:8428'),
      'prometheus.monitoring.svc.cluster.local-9090-to-vm-8428',
    ));
  it('is a DNS-1123 subdomain for every URL', () => {
    const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
    const subdomain = new RegExp(`^${label}(\\.${label})*$`);
    const host = fc.oneof(
      fc.stringMatching(/^[a-zA-Z0-9._-]{1,80}$/),
      fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
      fc.ipV6().map((address) => `[${address}]`),
      fc.domain(),
    );
    const port = fc.oneof(
      fc.constant(''),
      fc.nat({ max: 65_535 }).map((number) => `:${number}`),
    );
    const url = fc
      .tuple(fc.constantFrom('http', 'grpc'), host, port)
      .map(([scheme, name, suffix]) => `${scheme}://${name}${suffix}`)
      .filter((text) => URL.canParse(text));
    fc.assert(
      fc.property(url, url, (source, destination) => {
        const name = nameOf(source, destination);
        assert.match(name, subdomain);
        assert.ok(name.length <= 63, name);
      }),
      { numRuns: 500 },
    );
  });
  it('is short, and differs where long ones differ', () => {
    const long = (end: string) => nameOf(`http://${'a'.repeat(60)}.example.com`, `http://${end}`);
    assert.equal(long('b').length, 63);
    assert.notEqual(long('b'), long('c'));
    assert.match(long('b'), /^[a-z0-9][a-z0-9.-]*[a-z0-9]$/);
  });
});
