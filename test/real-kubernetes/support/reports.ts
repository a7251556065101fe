// The reports of `kubectl pmig report`, made in this process.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPmig } from '../../../src/kubectl/pmig.ts';
import { SYSTEM_CLOCK } from '../../../src/telemetry/clock.ts';
import { FakeOutput } from '../../cli/fake-io.ts';
import { createOperatorPod } from './log-kubelet.ts';
import type { InstalledChart } from './operator.ts';

/** All files of the reports of these migrations, and what was printed about them. */
export async function reportsOf(
  chart: InstalledChart,
  migrations: readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[],
  log: string,
): Promise<string> {
  await using pod = await createOperatorPod(chart, () => log, 'nothing');
  const directory = await mkdtemp(join(tmpdir(), 'pmig-reports-'));
  const [stdout, stderr] = [new FakeOutput(), new FakeOutput()];
  const signal = new AbortController().signal;
  const io = { stdout, stderr, env: {}, clock: SYSTEM_CLOCK, random: Math.random, signal };
  try {
    for (const { metadata } of migrations) {
      const options = {
        ...({ action: 'report', ...metadata, allNamespaces: false, output: 'text', waitMs: undefined } as const),
        ...{ kubeconfig: chart.cluster.kubeconfig, context: undefined, operatorNamespace: chart.namespace },
        to: join(directory, metadata.name),
      };
      assert.equal(await runPmig(options, io), 'done', stderr.text);
    }
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    assert.equal(pod.requested.length, migrations.length);
    return [stdout.text, ...texts].join('\n');
  } finally {
    await rm(directory, { recursive: true });
  }
}
