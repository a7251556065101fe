import assert from 'node:assert/strict';
import type { OperatorContext, OperatorOptions } from '../../src/operator/operator-options.ts';
import { operatorCommand } from '../../src/cli/operator-command.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { ListenError } from '../../src/telemetry/listen-error.ts';
import { type FakeIo, fakeIo, settle } from './fake-io.ts';

type Run = (options: OperatorOptions, context: OperatorContext) => Promise<void>;

function start(io: FakeIo, argv: readonly string[], run: Run): Promise<number> {
  return operatorCommand(argv, io, () => Promise.resolve({ runOperator: run }));
}

/** The options that result from a command line and an environment. */
async function optionsOf(argv: readonly string[], env: Record<string, string> = {}): Promise<OperatorOptions> {
  let seen: OperatorOptions | undefined;
  await start(fakeIo({ env }), argv, async (options) => {
    seen = options;
  });
  assert.ok(seen !== undefined);
  return seen;
}

describe('the operator options', () => {
  it('have defaults that suit a cluster', async () => {
    const { maxMigrations, ...options } = await optionsOf([], { POD_NAME: 'pod-0' });
    assert.ok(maxMigrations >= 2);
    assert.deepEqual(options, {
      kubeconfig: undefined,
      context: undefined,
      watchNamespaces: [],
      metricsAddress: { host: undefined, port: 8080 },
      leaderElect: true,
      leaseNamespace: undefined,
      leaseName: 'prom-migrator',
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
      jobs: { enabled: true, image: undefined, imagePullPolicy: undefined },
      log: { level: 'info', format: 'text' },
      ambientCredentials: false,
      graceMs: 20_000,
      podName: 'pod-0',
    });
  });

  const given: [argv: string[], env: Record<string, string>, expected: Partial<OperatorOptions>][] = [
    [['--watch-namespaces', 'a, b,a'], {}, { watchNamespaces: ['a', 'b'] }],
    [[], { PROM_MIGRATOR_WATCH_NAMESPACES: 'a,b' }, { watchNamespaces: ['a', 'b'] }],
    [['--watch-namespaces', 'c'], { PROM_MIGRATOR_WATCH_NAMESPACES: 'a,b' }, { watchNamespaces: ['c'] }],
    [['--no-leader-elect'], {}, { leaderElect: false }],
    [['--leader-elect'], {}, { leaderElect: true }],
    [[], { PROM_MIGRATOR_LEADER_ELECT: 'false' }, { leaderElect: false }],
    [[], { PROM_MIGRATOR_NO_LEADER_ELECT: 'true' }, { leaderElect: false }],
    [[], { POD_NAMESPACE: 'here' }, { leaseNamespace: 'here' }],
    [['--lease-namespace', 'there'], { POD_NAMESPACE: 'here' }, { leaseNamespace: 'there' }],
    [[], { PROM_MIGRATOR_MAX_MIGRATIONS: '7' }, { maxMigrations: 7 }],
    [['--ambient-credentials'], {}, { ambientCredentials: true }],
    [[], { PROM_MIGRATOR_AMBIENT_CREDENTIALS: 'true' }, { ambientCredentials: true }],
    [['--no-jobs'], {}, { jobs: { enabled: false, image: undefined, imagePullPolicy: undefined } }],
    [[], { PROM_MIGRATOR_JOBS: 'false' }, { jobs: { enabled: false, image: undefined, imagePullPolicy: undefined } }],
    [
      ['--job-image', 'r.example.com:5000/a@sha256:0', '--job-image-pull-policy', 'Always'],
      {},
      { jobs: { enabled: true, image: 'r.example.com:5000/a@sha256:0', imagePullPolicy: 'Always' } },
    ],
    [
      [],
      { PROM_MIGRATOR_JOB_IMAGE: 'a:1', PROM_MIGRATOR_JOB_IMAGE_PULL_POLICY: 'Never' },
      { jobs: { enabled: true, image: 'a:1', imagePullPolicy: 'Never' } },
    ],
    [
      ['--lease-duration', '1m', '--renew-deadline', '40s', '--retry-period', '5s'],
      {},
      { leaseDurationMs: 60_000, renewDeadlineMs: 40_000, retryPeriodMs: 5_000 },
    ],
    [['--log-level', 'debug', '--log-format', 'json'], {}, { log: { level: 'debug', format: 'json' } }],
    [[], { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { log: { level: 'info', format: 'json' } }],
    [['--metrics-address', '127.0.0.1:0'], {}, { metricsAddress: { host: '127.0.0.1', port: 0 } }],
    [['--kubeconfig', '/k', '--context', 'c'], {}, { kubeconfig: '/k', context: 'c' }],
  ];
  for (const [argv, env, expected] of given) {
    it(`accept ${JSON.stringify(argv)} and ${JSON.stringify(env)}`, async () => {
      const options = await optionsOf(argv, env);
      for (const [name, value] of Object.entries(expected)) {
        assert.deepEqual(options[name as keyof OperatorOptions], value);
      }
    });
  }

  const refused: [argv: string[], env: Record<string, string>, message: RegExp][] = [
    [['--watch-namespaces', 'a,B'], {}, /"B" is not a valid namespace name/],
    [['--leader-elect', '--no-leader-elect'], {}, /cannot be used together/],
    [[], { PROM_MIGRATOR_LEADER_ELECT: 'yes' }, /PROM_MIGRATOR_LEADER_ELECT must be true or false, not "yes"/],
    [['--max-migrations', '0'], {}, /from 1 to 10000, not "0"/],
    [['--jobs', '--no-jobs'], {}, /--jobs and --no-jobs cannot be used together/],
    [['--job-image', 'a b'], {}, /--job-image takes an image reference, not "a b"/],
    [['--job-image-pull-policy', 'Sometimes'], {}, /must be one of Always, IfNotPresent, Never/],
    [['--lease-duration', '10s'], {}, /--renew-deadline must be shorter than --lease-duration/],
    [['--retry-period', '9s'], {}, /longer than 1.2 times --retry-period/],
    [['--grace', 'soon'], {}, /--grace takes a duration/],
    [[], { PROM_MIGRATOR_LOG_LEVEL: 'loud' }, /PROM_MIGRATOR_LOG_LEVEL: --log-level must be one of/],
    [['--metrics-address', 'nowhere'], {}, /--metrics-address takes/],
    [['extra'], {}, /unexpected argument/],
  ];
  for (const [argv, env, message] of refused) {
    it(`reject ${JSON.stringify(argv)} and ${JSON.stringify(env)}`, async () => {
      await assert.rejects(
        start(fakeIo({ env }), argv, () => Promise.reject(new Error('it must not start'))),
        (error: unknown) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});

describe('the operator command', () => {
  it('exits with 0 after a clean shutdown on a signal', async () => {
    const io = fakeIo();
    const ended = start(io, [], ({ graceMs }, { stop }) => {
      assert.equal(graceMs, 20_000);
      return new Promise((resolve) => stop.addEventListener('abort', () => resolve()));
    });
    await settle();
    io.signals.emit('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(io.signals.listenerCount('SIGTERM'), 0);
    assert.deepEqual(io.exits, []);
  });

  it('exits immediately on a second signal, and when shutdown takes too long', async () => {
    const io = fakeIo();
    const never = start(io, [], () => new Promise(() => {}));
    never.catch(() => undefined);
    await settle();
    io.signals.emit('SIGTERM');
    await io.clock.advance(1_000);
    io.signals.emit('SIGTERM');
    assert.deepEqual(io.exits, [143]);
    await io.clock.advance(27_000);
    assert.deepEqual(io.exits, [143, 1]);
  });

  it('exits with 1 and one line without secrets on a fatal error', async () => {
    const io = fakeIo();
    const code = await start(io, [], () => Promise.reject(new Error('no cluster at https://u:hunter2@host/')));
    assert.equal(code, 1);
    assert.match(io.stderr.text, /error the operator stopped with an error: no cluster at https:\/\/host\//);
    assert.ok(!io.stderr.text.includes('hunter2'));
  });

  it('leaves an unusable listen address to the command line', async () => {
    await assert.rejects(
      start(fakeIo(), [], () => Promise.reject(new ListenError('EADDRINUSE', 'in use'))),
      ListenError,
    );
  });

  for (const [where, env, format] of [
    ['in a cluster', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, /^\{"time"/],
    ['elsewhere', {}, /^\d{4}-.* info {2}hello/],
    ['set by the environment', { PROM_MIGRATOR_LOG_FORMAT: 'json' }, /^\{"time"/],
  ] as const) {
    it(`logs in the default format ${where}`, async () => {
      const io = fakeIo({ env });
      await start(io, [], async (_, { logger }) => logger.info('hello'));
      assert.match(io.stderr.text, format);
    });
  }
});
