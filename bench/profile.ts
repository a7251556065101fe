// `npm run bench -- --profile`: one run of our tool under Node's CPU profiler, and where its time went.

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from '../bin/node-settings.mjs';
import { measureRun, type Stage } from './measurement.ts';
import { runMeasured } from './process-usage.ts';
import { ourCommand } from './tools.ts';
import { measureOneVerification } from './verification.ts';

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const MOST = 25;

/**
 * Writes a .cpuprofile for each thread into a directory of the scenario in `results`; returns the text to print. Of a scenario that verifies, the
 * verification is profiled.
 */
export async function profileScenario(stage: Stage, results: string): Promise<string> {
  const { scenario, place } = stage;
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-');
  const directory = join(results, `profile-${scenario.name}-${stamp}`);
  await mkdir(directory, { recursive: true });
  // The launcher adds no flags to a profiled process.
  const nodeOptions = [...nodeFlags, '--cpu-prof', `--cpu-prof-dir=${directory}`];
  const { wallMs, cpuMs, lost, staleLost } = scenario.verifies
    ? await measureOneVerification(stage, nodeOptions)
    : await measureRun(scenario, stage.source, stage.data, async (sides) =>
        runMeasured(await ourCommand(scenario, sides, { ...place, nodeOptions })),
      );
  const parts = [
    `\n${scenario.name}: ${(wallMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU under the profiler, ${lost + staleLost} samples lost`,
  ];
  for (const file of (await readdir(directory)).sort()) {
    const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile;
    parts.push(`  ${join(directory, file)}\n${selfTimesText(profile, place.dist)}`);
  }
  return parts.join('\n');
}

function selfTimesText(profile: CpuProfile, dist: string): string {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url;
      const place = path === '' ? '' : `${path.replace(`${dist}/`, '')}:${lineNumber + 1}`;
      return [id, `${functionName || '(anonymous)'}  ${place}`] as const;
    }),
  );
  const selfMs = new Map<string, number>();
  let totalMs = 0;
  profile.samples.forEach((node, i) => {
    const name = names.get(node) ?? '';
    // A delta is the time since the previous sample, during which the function of that sample ran.
    const ms = (profile.timeDeltas[i + 1] ?? 0) / 1000;
    selfMs.set(name, (selfMs.get(name) ?? 0) + ms);
    if (!name.startsWith('(idle)')) totalMs += ms;
  });
  const idleMs = [...selfMs].find(([name]) => name.startsWith('(idle)'))?.[1] ?? 0;
  const busy = [...selfMs].filter(([name]) => !name.startsWith('(idle)'));
  const head = `  ${totalMs.toFixed(0).padStart(8)} ms busy, ${idleMs.toFixed(0)} ms idle\n`;
  const rows = busy.sort(([, a], [, b]) => b - a).slice(0, MOST);
  const percent = (ms: number) => ((ms / totalMs) * 100).toFixed(1).padStart(5);
  return head + rows.map(([name, ms]) => `  ${ms.toFixed(0).padStart(8)} ms ${percent(ms)} %  ${name}`).join('\n');
}
