// Runs whose output is searched for secrets.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../../../src/cli/result.ts';
import { createAuthority } from '../../support/certificates.ts';
import { request } from '../../support/http.ts';
import { BASIC_AUTH } from '../../support/servers.ts';
import { type CommandRun, runCommand } from './command.ts';
import { type MigrationSpec, manifestOf } from './migration.ts';

export const TOKEN = 'canary-bearer-7f3a9c51e2';
export const QUERY_SECRET = 'canary-query/p=55 &aä';

export const AUTHORITY = createAuthority();
export const STRANGERS = createAuthority('another authority');
export const CLIENT = AUTHORITY.issue('prom-migrator');
export const STRANGER = STRANGERS.issue('prom-migrator');

const CANARIES = [BASIC_AUTH.password, TOKEN, QUERY_SECRET, 'wrong horse']
  .flatMap((text) => [text, encodeURIComponent(text), new URLSearchParams({ p: text }).toString().slice(2)])
  .concat(
    [BASIC_AUTH.password, 'wrong horse'].map((password) =>
      Buffer.from(`${BASIC_AUTH.username}:${password}`).toString('base64'),
    ),
    // A line of a private key is sufficient.
    [CLIENT, STRANGER].map(({ key }) => key.split('\n')[1] ?? ''),
  );

export interface Watched extends CommandRun {
  readonly result: RunResult;
  readonly metrics: string;
}

/** Runs the documents with a debug log, polls the metrics meanwhile, and searches everything for secrets. */
export async function runWatched(
  spec: MigrationSpec,
  documents: readonly object[] = [],
  { args = [], files = {} }: { args?: readonly string[]; files?: Record<string, string> } = {},
): Promise<Watched> {
  const yaml = [manifestOf(spec), ...documents].map((document) => JSON.stringify(document)).join('\n---\n');
  let metrics = '';
  let ended = false;
  let scraping: Promise<void> | undefined;
  const scrape = async (url: string) => {
    for (; !ended; await sleep(50)) {
      const response = await request(`${url}/metrics`, {}).catch(() => undefined);
      if (response?.status === 200) metrics = response.body.toString('utf8');
    }
  };
  const run = await runCommand(
    ['run', '-f', 'migration.yaml', '--output=json', '--log-level=debug', '--metrics-address=127.0.0.1:0', ...args],
    {
      files: { 'migration.yaml': yaml, ...files },
      onStderr: (text) => {
        const url = /serving \/metrics and \/livez url=(\S+)/.exec(text)?.[1];
        if (url) scraping = scrape(url);
      },
    },
  );
  ended = true;
  await scraping;
  for (const canary of CANARIES) {
    for (const [where, text] of Object.entries({ stdout: run.stdout, stderr: run.stderr, metrics }))
      assert.ok(!text.includes(canary), `${where} shows ${JSON.stringify(canary)}:\n${text}`);
  }
  return { ...run, metrics, result: JSON.parse(run.stdout) as RunResult };
}

/** Checks that it failed immediately, with this code on this side, and names the setting. */
export function assertRefused(run: Watched, code: string, side: string, setting: RegExp): void {
  assert.equal(run.exitCode, 1, run.stderr);
  assert.equal(run.result.phase, 'Failed');
  assert.equal(run.result.error?.code, code, run.stderr);
  assert.equal(run.result.error?.side, side);
  assert.match(run.result.error?.message ?? '', setting);
  assert.ok(run.seconds < 15, `${run.seconds} s: no retries`);
  assert.doesNotMatch(run.stderr, / retrying /);
}
