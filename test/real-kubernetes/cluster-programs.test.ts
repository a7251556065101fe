// The programs of a test cluster exit with the test, and come from where the user specifies.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { KUBERNETES } from '../support/server-sources.ts';
import { eventually } from './support/operator.ts';

const CLUSTER_MODULE = resolve(import.meta.dirname, '../support/kubernetes/cluster.ts');
const INSTALL_MODULE = resolve(import.meta.dirname, '../support/install.ts');

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The API server that a process finds with KUBEBUILDER_ASSETS. */
async function foundWithAssets(directory: string): Promise<string> {
  const script = `
    import { findServer } from ${JSON.stringify(pathToFileURL(INSTALL_MODULE).href)};
    const say = ({ path, version }) => console.log(path + ' ' + version);
    await findServer('kube-apiserver', '${KUBERNETES}').then(say, (error) => console.log(error.message));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, KUBEBUILDER_ASSETS: directory },
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return line;
}

describe('the cluster programs', function () {
  this.timeout(900_000);
  let directory = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-rig-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('exit with a test process that is killed', async () => {
    const script = `
      import { startCluster } from ${JSON.stringify(pathToFileURL(CLUSTER_MODULE).href)};
      const cluster = await startCluster();
      console.log(JSON.stringify(cluster.pids()));
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: directory },
    });
    const [line] = await once(createInterface(child.stdout), 'line');
    const pids = Object.values(JSON.parse(line) as Record<string, number>);
    assert.equal(pids.length, 2);
    assert.ok(pids.every(isAlive));
    child.kill('SIGKILL');
    await eventually('etcd and API server are gone', () => !pids.some(isAlive), 10_000);
  });

  it('are taken from KUBEBUILDER_ASSETS, which must contain an API server', async () => {
    const program = join(directory, 'kube-apiserver');
    assert.match(await foundWithAssets(directory), /KUBEBUILDER_ASSETS is set to .*, which holds no kube-apiserver/);
    await writeFile(program, '#!/bin/sh\necho Kubernetes v1.35.7\n');
    await chmod(program, 0o755);
    assert.equal(await foundWithAssets(directory), `${program} 1.35.7`);
    assert.ok(existsSync(program));
  });
});
