import assert from 'node:assert/strict';
import { RUN_COMMAND } from '../../../src/cli/flags.ts';
import { parseArguments } from '../../../src/cli/parse-arguments.ts';
import { buildJob, buildSettings } from '../../../src/operator/job/build-job.ts';
import { jobKeyOf } from '../../../src/operator/judge/job-key.ts';
import { JOB_SELECTOR } from '../../../src/operator/job/job-names.ts';
import type { NewJob, PodTemplate } from '../../../src/operator/job/job-objects.ts';
import { validateMigration } from '../../../src/api/validate.ts';
import { endMs, migrationOf, type MigrationOptions, nowMs, specOf, startMs } from '../support/migrations.ts';

const HOUR_MS = 3_600_000;
const options = {
  image: 'registry/prom-migrator:1',
  imagePullPolicy: 'IfNotPresent',
  log: { level: 'warn', format: 'json' },
} as const;
const stretches = [
  { shard: '0', startMs, endMs: startMs + 2 * HOUR_MS },
  { shard: '2025-01-01T02:00:00.000Z', startMs: startMs + 2 * HOUR_MS, endMs },
];
const divided = { frozenEndMs: undefined, stretches };

type Execution = Readonly<Record<string, unknown>>;

const DESTINATION = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};

function inJob(execution: Execution = {}, migration: MigrationOptions = {}) {
  const spec = {
    destination: DESTINATION,
    execution: { mode: 'Job', parallelism: 4, ...execution },
    ...migration.spec,
  };
  return migrationOf({ ...migration, spec });
}

function jobOf(execution?: Execution, migration?: MigrationOptions): NewJob {
  return buildJob(inJob(execution, migration), divided, options).job;
}

function templateOf(job: NewJob): PodTemplate {
  assert.ok(job.spec.template);
  return job.spec.template;
}

describe('the Job of a migration', () => {
  it('has an index for each stretch, and as many pods at once as the spec says', () => {
    const { spec } = jobOf();
    assert.equal(spec.completions, 2);
    assert.equal(spec.parallelism, 4);
    assert.equal(spec.suspend, false);
    assert.equal(jobOf({ parallelism: 0 }).spec.parallelism, 0);
  });

  it('ends at the first stretch that fails if the destination takes samples only in order', () => {
    const inOrder = { spec: { destination: { ...DESTINATION, ordering: 'InOrder' } } };
    assert.equal(jobOf({ parallelism: 1 }, inOrder).spec.maxFailedIndexes, 0);
    assert.equal(jobOf().spec.maxFailedIndexes, 2);
  });

  it('is owned by the migration, which does not wait for it', () => {
    const { apiVersion, metadata } = inJob();
    const { name, uid } = metadata;
    const job = jobOf();
    assert.deepEqual(job.metadata.ownerReferences, [
      { apiVersion, kind: 'PromMigration', name, uid, controller: true },
    ]);
    assert.equal(job.metadata.namespace, 'team');
  });

  it('says where the range ends if the manifest does not, and which image it has', () => {
    const annotations = (frozenEndMs: number | undefined) =>
      buildJob(inJob(), { ...divided, frozenEndMs }, options).job.metadata.annotations ?? {};
    assert.equal(annotations(endMs)['prom-migrator.io/frozen-end'], '2025-01-02T00:00:00.000Z');
    assert.equal(annotations(undefined)['prom-migrator.io/frozen-end'], undefined);
    assert.equal(annotations(undefined)['prom-migrator.io/image'], options.image);
  });

  it('has labels that select it, also on its pods, whatever podLabels say', () => {
    const job = jobOf({ job: { podLabels: { team: 'a', 'app.kubernetes.io/name': 'other' } } });
    const labels = templateOf(job).metadata.labels;
    assert.equal(labels['team'], 'a');
    for (const own of [job.metadata.labels, labels]) {
      assert.equal(own?.['prom-migrator.io/migration'], 'copy');
      for (const pair of JOB_SELECTOR.split(',')) {
        const [name = '', value] = pair.split('=');
        assert.equal(own?.[name], value);
      }
    }
  });

  for (const name of ['a', 'a'.repeat(253), `${'a.'.repeat(120)}b`, `${'a'.repeat(45)}.b${'c'.repeat(40)}`]) {
    it(`has a name for pods and labels with a migration called ${name.slice(0, 50)} (${name.length})`, () => {
      const job = jobOf({}, { name });
      const host = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
      assert.match(job.metadata.name, host);
      assert.ok(`${job.metadata.name}-4095-`.length <= 58);
      const label = job.metadata.labels?.['prom-migrator.io/migration'] ?? '';
      assert.ok(label.length <= 63 && label !== '');
    });
  }

  it('has one name for a migration, so that there are never two, and another one for one that is created again', () => {
    const names = [
      jobOf(),
      jobOf({ job: { priorityClassName: 'low' } }),
      buildJob(inJob(), { ...divided, frozenEndMs: endMs }, options).job,
      buildJob(inJob(), { ...divided, stretches: stretches.slice(1) }, options).job,
    ].map(({ metadata }) => metadata.name);
    assert.deepEqual(new Set(names), new Set([jobOf().metadata.name]));
    assert.notEqual(jobOf({}, { uid: 'other' }).metadata.name, names[0]);
  });

  it('ignores disruptions, and fails an index at once if a user has to change something', () => {
    const { podFailurePolicy, backoffLimitPerIndex, podReplacementPolicy } = jobOf().spec;
    assert.deepEqual(podFailurePolicy.rules, [
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      { action: 'FailIndex', onExitCodes: { containerName: 'prom-migrator', operator: 'In', values: [1, 2] } },
    ]);
    assert.equal(backoffLimitPerIndex, 6);
    assert.equal(podReplacementPolicy, 'Failed');
  });

  it('is not deleted by Kubernetes before the operator has seen its end', () => {
    const job = jobOf({ job: { ttlSecondsAfterFinished: 0 } });
    assert.equal(job.spec.ttlSecondsAfterFinished, undefined);
    assert.ok(!JSON.stringify(job.spec.template).includes('ttl'));
  });

  it('passes on what concerns the scheduler', () => {
    const job = {
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'batch', operator: 'Exists' }],
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
      serviceAccountName: 'copier',
      imagePullSecrets: [{ name: 'registry' }],
      priorityClassName: 'low',
      podAnnotations: { a: 'b' },
    };
    const { metadata, spec } = templateOf(jobOf({ job }));
    const { podAnnotations, ...scheduling } = job;
    assert.deepEqual({ ...spec, ...scheduling }, spec);
    assert.deepEqual(metadata.annotations, podAnnotations);
  });

  it('gives a pod the memory of spec.limits and what the process needs, unless resources say otherwise', () => {
    const resourcesOf = (execution: Execution, limits = {}) =>
      (templateOf(jobOf(execution, { spec: { limits } })).spec.containers[0] as { resources: object }).resources;
    assert.deepEqual(resourcesOf({}, { memory: '100Mi' }), {
      requests: { memory: '250Mi' },
      limits: { memory: '250Mi' },
    });
    const own = { limits: { memory: '1Gi' } };
    assert.deepEqual(resourcesOf({ job: { resources: own } }), own);
  });

  it('gives the pod arguments that `run` knows', () => {
    const login = { username: { name: 'a', key: 'b' }, password: { name: 'a', key: 'c' } };
    const spec = { source: { url: 'https://source/api/v1/read', basicAuth: login } };
    const [container] = templateOf(jobOf({}, { spec })).spec.containers as { args: string[] }[];
    const [command, ...args] = container?.args ?? [];
    assert.equal(command, 'run');
    const flags = parseArguments(RUN_COMMAND, args);
    assert.equal(flags.value('stretches'), '/etc/prom-migrator/settings/stretches.json');
    assert.equal(flags.value('secrets-dir'), '/etc/prom-migrator/secrets');
    assert.equal(flags.value('termination-log'), '/dev/termination-log');
    assert.equal(flags.value('log-level'), 'warn');
    assert.equal(flags.value('log-format'), 'json');
  });

  it('mounts exactly the keys that the manifest names, and no value', () => {
    const auth = { username: { name: 'store', key: 'user' }, password: { name: 'store', key: 'password' } };
    const tls = { ca: { configMap: { name: 'authority', key: 'ca.crt' } } };
    const spec = { source: { url: 'https://source/api/v1/read', basicAuth: auth, tls } };
    const { volumes, containers } = templateOf(jobOf({}, { spec })).spec;
    assert.deepEqual(volumes[1], {
      name: 'secrets',
      projected: {
        defaultMode: 0o444,
        sources: [
          {
            secret: {
              name: 'store',
              items: [
                { key: 'user', path: 'Secret/store/user' },
                { key: 'password', path: 'Secret/store/password' },
              ],
            },
          },
          { configMap: { name: 'authority', items: [{ key: 'ca.crt', path: 'ConfigMap/authority/ca.crt' }] } },
        ],
      },
    });
    assert.match(JSON.stringify(containers[0]), /--secrets-dir=\/etc\/prom-migrator\/secrets/);
    assert.ok(!JSON.stringify(templateOf(jobOf())).includes('secrets'), 'without references there is no volume');
  });
});

describe('the ConfigMap of a Job', () => {
  it('is immutable, and belongs to exactly this Job', () => {
    const { job, settings } = buildJob(inJob(), divided, options);
    const { metadata, immutable, data } = buildSettings(job, 'uid-of-the-job', settings);
    const { name, namespace, labels } = job.metadata;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid: 'uid-of-the-job', controller: true };
    assert.deepEqual(metadata, { name, namespace, labels, ownerReferences: [owner] });
    assert.equal(immutable, true);
    assert.equal(data, settings);
  });

  it('has the manifest with its defaults and without its status, as `run` accepts it', () => {
    const migration = inJob({}, { status: { phase: 'Running' } });
    const data = buildJob(migration, divided, options).settings;
    const manifest = JSON.parse(data['migration.yaml'] ?? '') as { status?: object; metadata: object; spec: object };
    assert.deepEqual(manifest.metadata, { name: 'copy', namespace: 'team' });
    assert.equal(manifest.status, undefined);
    assert.deepEqual(manifest.spec, migration.spec);
    assert.ok(!('problems' in validateMigration(manifest, nowMs)));
  });

  it('has the stretches in the order in which they are started', () => {
    const file = (order: string) =>
      JSON.parse(buildJob(inJob({ order }), divided, options).settings['stretches.json'] ?? '') as object;
    const [first, second] = [
      { shard: '0', start: '2025-01-01T00:00:00.000Z', end: '2025-01-01T02:00:00.000Z' },
      { shard: '2025-01-01T02:00:00.000Z', start: '2025-01-01T02:00:00.000Z', end: '2025-01-02T00:00:00.000Z' },
    ];
    assert.deepEqual(file('OldestFirst'), { version: 1, frozenEnd: null, stretches: [first, second] });
    assert.deepEqual(file('NewestFirst'), { version: 1, frozenEnd: null, stretches: [second, first] });
    const frozen = buildJob(inJob(), { ...divided, frozenEndMs: endMs }, options).settings['stretches.json'];
    assert.match(frozen ?? '', /"frozenEnd":"2025-01-02T00:00:00.000Z"/);
  });
});

describe('the key of a Job', () => {
  const keyOf = (spec: object) => jobKeyOf(specOf({ destination: DESTINATION, ...spec }));
  const parallel = (parallelism: number) => ({ execution: { mode: 'Job', parallelism } });

  it('stays the same if the pods can go on', () => {
    assert.equal(keyOf(parallel(2)), keyOf(parallel(8)));
    assert.equal(keyOf({ ...parallel(2), suspend: true }), keyOf(parallel(2)));
  });

  it('changes with what the pods are made of', () => {
    assert.notEqual(keyOf({ execution: { mode: 'Job', job: { podLabels: { a: 'b' } } } }), keyOf(parallel(1)));
    assert.notEqual(keyOf({ ...parallel(1), limits: { memory: '1Gi' } }), keyOf(parallel(1)));
  });

  it('changes with the rates, and with the number of pods that share them', () => {
    const limits = { samplesPerSecond: 1000 };
    assert.notEqual(keyOf({ ...parallel(2), limits }), keyOf(parallel(2)));
    assert.notEqual(keyOf({ ...parallel(2), limits }), keyOf({ ...parallel(8), limits }));
  });
});
