// `kubectl pmig` against a fake API server, with a clock and streams of the test.

import type { PmigIo, PmigOptions, PmigOutcome } from '../../../src/kubectl/action-context.ts';
import { runPmig } from '../../../src/kubectl/pmig.ts';
import { FakeOutput } from '../../cli/fake-io.ts';
import { FakeApiServer } from '../../operator/support/fake-api-server.ts';
import { ManualClock } from '../../operator/support/manual-clock.ts';

const DEFAULTS: PmigOptions = {
  ...{ action: 'status', name: 'copy', namespace: 'team', allNamespaces: false, output: 'text' },
  ...{ kubeconfig: undefined, context: undefined, waitMs: undefined, to: undefined },
  operatorNamespace: 'prom-migrator-system',
};

export const COLLECTION = '/apis/prom-migrator.io/v1alpha1/prommigrations';

export interface Stage extends AsyncDisposable {
  readonly server: FakeApiServer;
  readonly clock: ManualClock;
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  run(options?: Partial<PmigOptions>): Promise<PmigOutcome>;
}

export async function startStage({ tty = false } = {}): Promise<Stage> {
  const server = await FakeApiServer.start();
  const clock = new ManualClock();
  const stop = new AbortController();
  const [stdout, stderr] = [new FakeOutput(tty), new FakeOutput(tty)];
  const io: PmigIo = { stdout, stderr, env: {}, clock, random: () => 0.5, signal: stop.signal };
  return {
    ...{ server, clock, stdout, stderr },
    run: (options = {}) => runPmig({ ...DEFAULTS, ...options }, io, async () => server.connection),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test has ended'));
      await server[Symbol.asyncDispose]();
    },
  };
}
