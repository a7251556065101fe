// What tools that wait for an object make of it, from their own libraries (test/support/go/readiness): kstatus of Helm 4, Flux and kpt, a health
// script of Argo CD, and the expressions of Flux.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { buildGoProgram } from '../go-programs.ts';

/** A status and a message, or the error that the tool would show. */
interface Judgement {
  readonly status?: string;
  readonly message?: string;
  readonly error?: string;
}

export interface Readiness {
  readonly kstatus: Judgement;
  readonly argo: Judgement;
  readonly flux: Judgement;
}

/** An entry of `healthCheckExprs`. */
export interface HealthExpressions {
  readonly current: string;
  readonly failed: string;
}

/** The health script for Argo CD. */
export const HEALTH_SCRIPT = join(import.meta.dirname, '../../../charts/prom-migrator/files/argocd-health.lua');

/** Builds the program first if necessary, which takes most of a minute. */
export async function readinessOf(
  objects: readonly object[],
  { current, failed }: HealthExpressions,
  script = HEALTH_SCRIPT,
): Promise<Readiness[]> {
  const { path } = await buildGoProgram('readiness', () => {});
  const child = spawn(path, ['-lua', script, '-current', current, '-failed', failed], { stdio: 'pipe' });
  const code = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if ((await code) !== 0) throw new Error(`readiness failed: ${complaint}`);
  return said
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readiness);
}
