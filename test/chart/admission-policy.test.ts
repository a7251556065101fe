// The admission policy that the chart renders. What it admits is tested on a real API server; here: which fields it knows, and that the URLs
// that it calls plain have one meaning only.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse } from 'yaml';
import { EVASIONS, serverFields, unusedExceptions } from '../real-kubernetes/support/endpoint-attempts.ts';
import { helm, INSTALL_TIMEOUT_MS, type KubernetesObject, only, readChartFile, render } from './support/chart.ts';

const POLICY = 'ValidatingAdmissionPolicy';
const enabled = { admissionPolicy: { enabled: true } };

function variable(policy: KubernetesObject, name: string): string {
  const found = policy['spec'].variables.find((one: { name: string }) => one.name === name);
  return found.expression;
}

describe("the chart's admission policy", () => {
  let policy: KubernetesObject;
  let plain: RegExp;

  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    policy = only(await render({ values: enabled }), POLICY);
    const [, expression = ''] = /^r'(.*)'$/.exec(variable(policy, 'plain')) ?? [];
    plain = new RegExp(expression);
  });

  it('is off by default', async () => {
    const kinds = (await render()).map(({ kind }) => kind);
    assert.ok(kinds.includes('CustomResourceDefinition') && !kinds.some((kind) => kind.startsWith(POLICY)));
  });

  it('knows every field of the CRD that names a server', () => {
    const text = `${variable(policy, 'urls')}${variable(policy, 'serverNames')}`;
    const known = [...text.matchAll(/'field': '([^']+)'/g)].map(([, field]) => field).sort();
    assert.deepEqual(known, serverFields());
    assert.deepEqual(unusedExceptions(), []);
  });

  it('is meant for the version and the resource of the CRD', () => {
    const [{ apiGroups, apiVersions, resources }] = policy['spec'].matchConstraints.resourceRules;
    const { spec } = parse(readChartFile('../../crds/prommigrations.prom-migrator.io.yaml'));
    assert.deepEqual(apiGroups, [spec.group]);
    assert.deepEqual(apiVersions, [spec.versions.find(({ storage }: { storage: boolean }) => storage).name]);
    assert.deepEqual(resources, [spec.names.plural, `${spec.names.plural}/scale`]);
  });

  it('applies to the watched namespaces only', async () => {
    const binding = async (values: object) =>
      only(await render({ values: { ...enabled, ...values } }), `${POLICY}Binding`)['spec'];
    assert.equal((await binding({})).matchResources, undefined);
    assert.deepEqual((await binding({ watchNamespaces: ['a', 'b'] })).matchResources.namespaceSelector, {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['a', 'b'] }],
    });
    assert.deepEqual((await binding({})).validationActions, ['Deny']);
  });

  it('is as strict with the values of a release that did not have it, as helm upgrade --reuse-values passes them', async () => {
    const nothing = { failurePolicy: null, validationActions: null, default: null, namespaces: null };
    const objects = await render({ values: { admissionPolicy: { enabled: true, ...nothing } } });
    assert.deepEqual(only(objects, POLICY), policy);
    assert.deepEqual(only(objects, `${POLICY}Binding`)['spec'].validationActions, ['Deny']);
  });

  it('is refused when it is too long for the API server', async () => {
    const sources = Array.from({ length: 4_000 }, (_, at) => `https://store-${at}.example.com`);
    const values = { admissionPolicy: { enabled: true, namespaces: { 'team-a': { sources } } } };
    const { code, stderr } = await helm('template', { values });
    assert.notEqual(code, 0);
    assert.match(stderr, /admissionPolicy\.namespaces is longer than the API server accepts: use fewer patterns/);
  });

  describe('calls a URL plain only if', () => {
    const part = fc.constantFrom(
      ...['a', 'Z', '0', '1', '9', '0x7f', '256', 'xn--', 'xn--nxasmq6b', 'example', '.', '..', '-', '_', '%41', '%2e'],
      ...[
        ':',
        ':80',
        ':0',
        '@',
        '/',
        '\\',
        '?',
        '#',
        '[',
        ']',
        '::1',
        '::',
        'ffff',
        '*',
        ' ',
        '\t',
        '\n',
        '。',
        'ß',
        '\u00AD',
      ],
    );
    const url = fc
      .tuple(fc.constantFrom('http', 'https', 'grpc', 'grpcs'), fc.array(part, { minLength: 1, maxLength: 6 }))
      .map(([scheme, parts]) => `${scheme}://${parts.join('')}`);

    it("the operator's parser finds the same host and port in it", () => {
      let plainUrls = 0;
      fc.assert(
        fc.property(url, (text) => {
          if (!plain.test(text)) return;
          const parsed = URL.parse(text);
          // One that is no URL is never requested.
          if (parsed === null) return;
          plainUrls++;
          const [, scheme, host, port = ''] = /^([a-z]+):\/\/(\[[^\]]*\]|[^/?:]+)(?::(\d+))?/.exec(text) ?? [];
          const standard = { http: '80', https: '443' }[scheme ?? ''];
          assert.equal(parsed.protocol, `${scheme}:`);
          assert.equal(parsed.port, port === standard ? '' : port);
          assert.equal(parsed.username + parsed.password, '');
          // An IPv6 address has several forms: the policy compares the text.
          if (host?.startsWith('[')) assert.match(parsed.hostname, /^\[/);
          else assert.equal(parsed.hostname, host);
        }),
        { numRuns: 20_000 },
      );
      assert.ok(plainUrls > 500, `${plainUrls} plain URLs`);
    });

    it('it has no trick in it', () => {
      const tricks = EVASIONS.filter(([, reason]) => !/allowed|suffix|port that|another form|as IPv6/.test(reason));
      assert.ok(tricks.length > 20);
      assert.deepEqual(
        tricks.filter(([text]) => plain.test(text)),
        [],
      );
    });
  });

  const mistakes: readonly [pattern: string, reason: string][] = [
    ['mimir.example.com', 'no scheme'],
    ['https://', 'no host'],
    ['https://mimir.example.com/', 'a path'],
    ['https://Mimir.example.com', 'an upper-case letter'],
    ['https://mimir.example.com.', 'a dot at the end'],
    ['https://*', 'any host of a scheme'],
    ['https://*example.com', 'a star without a dot'],
    ['https://mimir.*.com', 'a star in the middle'],
    ['https://*.10.0.0.1', 'a star before an address'],
    ['https://user@mimir.example.com', 'a user'],
    ['https://10.0.0.01', 'an octal number'],
    ['https://0x7f.1', 'an address in another form'],
    ['grpc://store.example.com', 'gRPC without a port'],
    ['https://mimir.example.com:0443', 'a port with a zero in front'],
  ];
  for (const [pattern, reason] of mistakes) {
    it(`does not accept ${reason}: ${pattern}`, async () => {
      const values = { admissionPolicy: { default: { destinations: [pattern] } } };
      const { code, stderr } = await helm('template', { values });
      assert.notEqual(code, 0);
      assert.match(stderr, /destinations/);
    });
  }
});
