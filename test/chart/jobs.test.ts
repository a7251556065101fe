// What the chart does for the pods of Jobs, which the operator creates.
import assert from 'node:assert/strict';
import { OPERATOR_COMMAND } from '../../src/cli/operator-flags.ts';
import { parseArguments } from '../../src/cli/parse-arguments.ts';
import { FULL_NAME, helm, INSTALL_TIMEOUT_MS, only, render } from './support/chart.ts';
import { operatorArguments } from './support/rendered-objects.ts';

describe('the chart, for the pods of Jobs,', () => {
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await helm('lint');
  });

  it('creates no policy for the pods of Jobs where it does not know their namespaces, or without Jobs', async () => {
    const everywhere = await render({ file: 'full-values.yaml' });
    assert.deepEqual(
      everywhere.filter(({ kind }) => kind === 'NetworkPolicy').map(({ metadata }) => metadata.name),
      [FULL_NAME],
    );
    const without = await render({ file: 'namespaced-values.yaml', values: { jobs: { enabled: false } } });
    assert.ok(only(without, 'NetworkPolicy'));
  });

  it('lets the pods of Jobs reach DNS, sources and destinations only, in every watched namespace', async () => {
    const objects = await render({ file: 'namespaced-values.yaml' });
    const policies = objects.filter(({ metadata }) => metadata.name === `${FULL_NAME}-stretches`);
    assert.deepEqual(
      policies.map(({ kind, metadata }) => `${kind} ${metadata.namespace}`),
      ['NetworkPolicy team-a', 'NetworkPolicy team-b'],
    );
    const dns = { ports: ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol })) };
    for (const { spec } of policies) {
      assert.deepEqual(spec, {
        podSelector: {
          matchLabels: { 'app.kubernetes.io/name': 'prom-migrator', 'app.kubernetes.io/component': 'stretch' },
        },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [],
        egress: [dns, { to: [{ ipBlock: { cidr: '10.20.0.0/16' } }] }],
      });
    }
    const values = { networkPolicy: { egress: { enabled: false } } };
    const open = await render({ file: 'namespaced-values.yaml', values });
    const { spec } = open.find(({ metadata }) => metadata.name === `${FULL_NAME}-stretches`)!;
    assert.deepEqual([spec.policyTypes, spec.ingress, spec.egress], [['Ingress'], [], undefined]);
  });

  it('tells the operator that it may create no Jobs', async () => {
    const args = operatorArguments(await render({ values: { jobs: { enabled: false } } }));
    assert.ok(args.includes('--no-jobs'));
    assert.ok(!args.some((argument) => argument.startsWith('--job-image')));
    assert.doesNotThrow(() => parseArguments(OPERATOR_COMMAND, args));
  });
});
