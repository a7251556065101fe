// What the chart renders: for every values file in ci/ a consistent set of objects that meets the restricted pod security standard.

import assert from 'node:assert/strict';
import { parseArguments } from '../../src/cli/parse-arguments.ts';
import { readPublication } from '../../scripts/publication.ts';
import { OPERATOR_COMMAND } from '../../src/cli/operator-flags.ts';
import {
  ciFiles,
  FULL_NAME,
  helm,
  INSTALL_TIMEOUT_MS,
  type KubernetesObject,
  NAMESPACE,
  only,
  podSpecs,
  readChartFile,
  render,
  selects,
} from './support/chart.ts';
import { insecurities, podSelectors, operatorArguments } from './support/rendered-objects.ts';

const CLUSTER_SCOPED = [
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

describe('the chart', () => {
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await helm('lint');
  });

  it('passes valid arguments to an operator without leader election', async () => {
    const objects = await render({ values: { leaderElection: { enabled: false } } });
    assert.doesNotThrow(() => parseArguments(OPERATOR_COMMAND, operatorArguments(objects)));
  });

  for (const file of ciFiles()) {
    describe(`with ${file}`, () => {
      let objects: KubernetesObject[];
      before(async () => {
        objects = await render({ file });
      });

      it('passes helm lint --strict', async () => {
        const { code, stdout } = await helm('lint', { file });
        assert.equal(code, 0, stdout);
        assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]/);
      });

      it('gives every object a consistent name, the labels of the release, and a namespace where required', () => {
        const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
        assert.deepEqual(names, [...new Set(names)]);
        for (const { kind, metadata } of objects.filter(({ metadata }) => !/-extra/.test(metadata.name))) {
          assert.equal(metadata.labels?.['app.kubernetes.io/instance'], 'moving', `${kind} ${metadata.name}`);
          assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm', `${kind} ${metadata.name}`);
          assert.equal(metadata.namespace === undefined, CLUSTER_SCOPED.includes(kind), `${kind} ${metadata.name}`);
        }
      });

      it("selects the operator's pods everywhere, but not the helm test pod", () => {
        const pods = podSpecs(objects);
        const selectors = podSelectors(objects);
        assert.ok(selectors.length >= 2);
        for (const selector of selectors) {
          assert.deepEqual(
            pods.filter(({ labels }) => selects(selector, labels)).map(({ name }) => name),
            [FULL_NAME],
          );
        }
      });

      it('binds existing roles to the service account of the pods', () => {
        const account = only(objects, 'ServiceAccount').metadata.name;
        for (const { spec } of podSpecs(objects)) assert.equal(spec.serviceAccountName, account);
        const bindings = objects.filter(({ kind }) => /^(Cluster)?RoleBinding$/.test(kind));
        assert.ok(bindings.length >= 2);
        for (const { metadata, roleRef, subjects } of bindings) {
          assert.ok(
            objects.some(
              (role) =>
                role.kind === roleRef.kind &&
                role.metadata.name === roleRef.name &&
                (role.kind === 'ClusterRole' || role.metadata.namespace === metadata.namespace),
            ),
            `${metadata.name} binds ${roleRef.kind} ${roleRef.name}, which is not there`,
          );
          assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }]);
        }
      });

      it('meets the restricted pod security standard, with a read-only root file system', () => {
        for (const { name, spec } of podSpecs(objects)) {
          assert.deepEqual(insecurities(spec), [], name);
          for (const container of spec.containers) {
            assert.equal(container.securityContext.readOnlyRootFilesystem, true, `${name}/${container.name}`);
            assert.ok(container.resources.requests.memory, `${name}/${container.name}`);
            assert.ok(container.resources.limits.memory, `${name}/${container.name}`);
          }
        }
      });

      it('points probes, Service and monitors at existing ports', () => {
        const [container] = only(objects, 'Deployment')['spec'].template.spec.containers;
        const ports = container.ports.map(({ name }: { name: string }) => name);
        assert.ok(ports.includes(container.livenessProbe.httpGet.port));
        assert.ok(ports.includes(container.readinessProbe.httpGet.port));
        const service = only(objects, 'Service');
        assert.ok(ports.includes(service['spec'].ports[0].targetPort));
        for (const { spec } of objects.filter(({ kind }) => kind === 'ServiceMonitor')) {
          assert.ok(selects(spec.selector.matchLabels, service.metadata.labels ?? {}));
          assert.equal(spec.endpoints[0].port, service['spec'].ports[0].name);
        }
      });

      it('passes valid arguments to the operator', () => {
        assert.doesNotThrow(() => parseArguments(OPERATOR_COMMAND, operatorArguments(objects)));
      });
    });
  }

  it('passes the values to the operator', async () => {
    const objects = await render({ file: 'full-values.yaml' });
    const { spec } = only(objects, 'Deployment')['spec'].template;
    const [container] = spec.containers;
    assert.deepEqual(container.args, [
      'operator',
      '--metrics-address=:9464',
      '--leader-elect',
      `--lease-namespace=${NAMESPACE}`,
      '--lease-name=prom-migrator',
      '--lease-duration=15s',
      '--renew-deadline=10s',
      '--retry-period=2s',
      '--max-migrations=4',
      `--job-image=${container.image}`,
      '--job-image-pull-policy=IfNotPresent',
      '--grace=60s',
      '--log-level=debug',
      '--log-format=json',
    ]);
    assert.deepEqual(
      container.env.map(({ name }: { name: string }) => name),
      ['POD_NAME', 'POD_NAMESPACE', 'NODE_EXTRA_CA_CERTS'],
    );
    assert.equal(spec.terminationGracePeriodSeconds, 70);
    assert.equal(container.image, `registry.example.com:5000/platform/prom-migrator@sha256:${'0'.repeat(64)}`);
  });

  it('adds its own selector to topology spread constraints that have none', async () => {
    const constraint = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' };
    const labelSelector = { matchLabels: { a: 'b' } };
    const values = { topologySpreadConstraints: [constraint, { ...constraint, labelSelector }] };
    const { spec } = only(await render({ values }), 'Deployment');
    const [own, given] = spec.template.spec.topologySpreadConstraints;
    assert.deepEqual(own, { ...constraint, labelSelector: spec.selector });
    assert.deepEqual(given, { ...constraint, labelSelector });
  });

  it('never runs two pods at the same time without leader election', async () => {
    const { spec } = only(await render({ values: { leaderElection: { enabled: false } } }), 'Deployment');
    assert.deepEqual(spec.strategy, { type: 'Recreate' });
    assert.ok(spec.template.spec.containers[0].args.includes('--no-leader-elect'));
  });

  it('uses the tag of its own version by default, and prefers a digest to a tag', async () => {
    const version = JSON.parse(readChartFile('../../package.json')).version;
    const digest = `sha256:${'a'.repeat(64)}`;
    const cases: [object, string][] = [
      [{}, `${readPublication().image}:${version}`],
      [{ tag: '9' }, `${readPublication().image}:9`],
      [{ registry: 'r.example.com', repository: 'a/b', tag: '9', digest }, `r.example.com/a/b@${digest}`],
    ];
    for (const [image, expected] of cases) {
      for (const { spec } of podSpecs(await render({ values: { image } })))
        assert.equal(spec.containers[0].image, expected);
    }
  });

  it('lets the helm test pod through a network policy that lists the allowed clients', async () => {
    const objects = await render({ file: 'full-values.yaml' });
    const test = podSpecs(objects).find(({ name }) => name.endsWith('-test'))!;
    const peers = only(objects, 'NetworkPolicy')['spec'].ingress[0].from;
    assert.ok(
      peers.some(
        (peer: KubernetesObject['spec']) => peer.podSelector && selects(peer.podSelector.matchLabels, test.labels),
      ),
    );
  });

  it('creates the one configured monitor', async () => {
    const values = {
      metrics: { podMonitor: { enabled: true, interval: '15s', relabelings: [{ action: 'labelmap' }] } },
    };
    const objects = await render({ values });
    assert.deepEqual(only(objects, 'PodMonitor')['spec'].podMetricsEndpoints, [
      { port: 'metrics', path: '/metrics', interval: '15s', relabelings: [{ action: 'labelmap' }] },
    ]);
    assert.ok(!objects.some(({ kind }) => kind === 'ServiceMonitor'));
  });

  it('omits disabled alerts, and labels the others', async () => {
    const { spec } = only(await render({ file: 'full-values.yaml' }), 'PrometheusRule');
    const rules: KubernetesObject['spec'][] = spec.groups[0].rules;
    assert.ok(rules.length >= 6);
    for (const { alert, labels, annotations } of rules) {
      assert.notEqual(alert, 'PromMigratorEventLoopLag');
      assert.equal(labels.team, 'observability');
      assert.match(labels.severity, /^(warning|critical)$/);
      assert.equal(annotations.runbook_url, `https://example.com/runbooks/${alert}`);
    }
  });

  it('renders extra objects given as templates, maps or text', async () => {
    const objects = await render({ file: 'full-values.yaml' });
    assert.ok(only(objects, 'ConfigMap', `${FULL_NAME}-extra`));
    assert.ok(only(objects, 'ConfigMap', 'moving-extra-text'));
  });

  it('includes the dashboard unchanged', async () => {
    const map = only(await render({ values: { grafanaDashboard: { enabled: true } } }), 'ConfigMap');
    const given = JSON.parse(map['data']['prom-migrator.json']);
    assert.deepEqual(given, JSON.parse(readChartFile('files/grafana-dashboard.json')));
  });

  const refusals: [string, object, RegExp][] = [
    ['several pods without leader election', { replicaCount: 2, leaderElection: { enabled: false } }, /replicaCount/],
    [
      'two kinds of monitor',
      { metrics: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
      /serviceMonitor and podMonitor/,
    ],
    [
      'a network policy that blocks the migrations',
      { networkPolicy: { enabled: true, egress: { enabled: true } } },
      /egress\.rules/,
    ],
    [
      'a disruption budget with two bounds',
      { podDisruptionBudget: { enabled: true, minAvailable: 0, maxUnavailable: 1 } },
      /minAvailable or maxUnavailable/,
    ],
  ];
  for (const [title, values, expected] of refusals) {
    it(`rejects ${title}, with the reason`, async () => {
      const { code, stderr } = await helm('template', { values });
      assert.notEqual(code, 0);
      assert.match(stderr, expected);
    });
  }

  it('prints the next steps after the installation', async () => {
    const { code, stdout, stderr } = await helm('install', {
      values: { watchNamespaces: ['team-a', 'team-b'], rbac: { readSecrets: false } },
      args: ['--dry-run=client'],
    });
    assert.equal(code, 0, stderr);
    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    assert.match(notes, /watches the namespaces team-a, team-b\./);
    assert.match(notes, /namespace: team-a/);
    assert.match(notes, /kubectl delete crd prommigrations\.prom-migrator\.io/);
    assert.match(notes, /allow the service account moving-prom-migrator to get the Secrets/);
  });
});
