// The script of the `helm test` pod, against fakes of the operator and the API server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readChartFile } from './support/chart.ts';

interface Asked {
  path: string;
  authorization: string | undefined;
}

/** Runs the script like the pod; the server plays both the operator and the API server. */
async function runScript(
  statusOf: (path: string) => number,
  namespaces = '',
): Promise<{ code: number | null; output: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization });
    response.writeHead(statusOf(request.url ?? '')).end('said by the server');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-helm-test-'));
  try {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, 'pass\n');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const args = ['--input-type=module', '--eval', readChartFile('files/helm-test.mjs')];
    const env = {
      OPERATOR_URL: url,
      API_URL: url,
      WATCH_NAMESPACES: namespaces,
      TOKEN_FILE: tokenFile,
      RETRY_SECONDS: '0',
    };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, output, asked };
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const ALL = '/apis/prom-migrator.io/v1alpha1/prommigrations?limit=1';

describe('the helm test script', () => {
  it('passes when the operator is ready and migrations can be listed', async () => {
    const { code, output, asked } = await runScript(() => 200);
    assert.equal(code, 0, output);
    assert.deepEqual(asked, [
      { path: '/readyz', authorization: undefined },
      { path: ALL, authorization: 'Bearer pass' },
    ]);
  });

  it('checks every watched namespace, and no others', async () => {
    const { code, asked } = await runScript(() => 200, 'team-a,team-b');
    assert.equal(code, 0);
    assert.deepEqual(
      asked.slice(1).map(({ path }) => path),
      ['team-a', 'team-b'].map((name) => `/apis/prom-migrator.io/v1alpha1/namespaces/${name}/prommigrations?limit=1`),
    );
  });

  it('fails when the operator is not ready, and prints its response', async () => {
    const { code, output } = await runScript((path) => (path === '/readyz' ? 503 : 200));
    assert.equal(code, 1);
    assert.match(output, /failed: the operator is ready: 503 said by the server/);
  });

  it('fails when the service account cannot list migrations', async () => {
    const { code, output } = await runScript((path) => (path === '/readyz' ? 200 : 403));
    assert.equal(code, 1);
    assert.match(output, /failed: GET \/apis.*: 403 said by the server/);
  });
});
