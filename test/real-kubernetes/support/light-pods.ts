// Pods of a Job that need neither a core nor memory of their own, for tests with many of them: the process is a shell that waits, while the
// test copies its stretch with the engine.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadManifests } from '../../../src/api/manifest.ts';
import { migrate } from '../../../src/migration/migrate.ts';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { readStretch } from '../../../src/migration/stretches/stretch-file.ts';
import { podStretchPlan } from '../../../src/migration/stretches/stretch-plan.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { Secret } from '../../../src/telemetry/secret.ts';

/** Sends its files and its index, and exits with the code that the response has. Its first argument is a port, the others are those of a pod. */
const WAIT = `
port=$1
for argument in "$@"; do
  case $argument in
    --filename=*) manifest=\${argument#*=} ;;
    --stretches=*) stretches=\${argument#*=} ;;
  esac
done
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 5
printf 'GET /?index=%s&manifest=%s&stretches=%s HTTP/1.0\\r\\n\\r\\n' "$JOB_COMPLETION_INDEX" "$manifest" "$stretches" >&3
while read -r line <&3; do code=$line; done
exit "$code"`;

/** As in exit-codes.ts: another attempt may succeed. */
const FAILED = 5;

export class LightPods implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));
  readonly #may: Promise<void>;
  #release: () => void = () => undefined;
  #running = 0;

  private constructor() {
    this.#may = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  static async start(): Promise<LightPods> {
    const pods = new LightPods();
    await new Promise<void>((resolve, reject) => {
      pods.#server.on('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return pods;
  }

  get entrypoint(): readonly string[] {
    const { port } = this.#server.address() as AddressInfo;
    return ['/bin/bash', '-c', WAIT, 'pod', String(port)];
  }

  /** How many run now. */
  get running(): number {
    return this.#running;
  }

  /** Until now they wait. */
  release(): void {
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#release();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const abort = new AbortController();
    response.on('close', () => abort.abort());
    this.#running++;
    let code = FAILED;
    try {
      await this.#may;
      code = await copy(new URL(url, 'http://pods').searchParams, abort.signal);
    } finally {
      this.#running--;
      response.end(`${code}\n`);
    }
  }
}

async function copy(files: URLSearchParams, abort: AbortSignal): Promise<number> {
  const [manifest, stretches] = await Promise.all(
    ['manifest', 'stretches'].map((name) => readFile(files.get(name) ?? '', 'utf8')),
  );
  const plan = planOf(manifest ?? '');
  const read = readStretch(stretches ?? '', Number(files.get('index')), plan);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const { progress } = await migrate(podStretchPlan(plan, read.stretch, read.frozenEndMs), {
    clock: SYSTEM_CLOCK,
    random: Math.random,
    stop: new AbortController().signal,
    abort,
    observer: { progress: () => undefined, event: () => undefined },
    startupDeadlineMs: Number.POSITIVE_INFINITY,
  });
  return progress.phase === 'Succeeded' ? 0 : FAILED;
}

function planOf(manifest: string): MigrationPlan {
  const loaded = loadManifests([{ name: 'migration.yaml', text: new Secret(manifest) }], undefined);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const compiled = compilePlan(loaded.migration, loaded.secrets);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  return compiled.plan;
}
