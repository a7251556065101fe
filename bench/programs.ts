// Finds the programs that only the benches need.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildGoProgram, builtGoProgram } from '../test/support/go-programs.ts';
import { findServer } from '../test/support/install.ts';

export const PROMETHEUS_VERSION = '3.5';
const VICTORIA_METRICS_VERSION = '1.145';

let benchData: Promise<string> | undefined;
let storeApi: Promise<string> | undefined;

/**
 * The path of the benches' own Go program (test/support/go/prometheus/bench-data), built first if necessary; BENCH_DATA overrides it. The
 * tests do not install it.
 */
export function findBenchData(): Promise<string> {
  benchData ??= lookUp('bench-data', process.env['BENCH_DATA']);
  return benchData;
}

/** A StoreAPI over the blocks of a Prometheus (test/support/go/prometheus/store-api), built first if necessary; STORE_API overrides it. */
export function findStoreApi(): Promise<string> {
  storeApi ??= lookUp('store-api', process.env['STORE_API']);
  return storeApi;
}

async function lookUp(program: 'bench-data' | 'store-api', given: string | undefined): Promise<string> {
  if (given) return given;
  const ready = await builtGoProgram(program);
  if (ready) return ready.path;
  const progress = (text: string) => process.stderr.write(`${text}\n`);
  progress(`${program}: building from source`);
  return (await buildGoProgram(program, progress)).path;
}

/** VictoriaMetrics' migration tool, part of Debian's server package; VMCTL overrides it. */
export async function findVmctl(): Promise<string> {
  const given = process.env['VMCTL'];
  if (given) return given;
  const { path } = await findServer('victoria-metrics', VICTORIA_METRICS_VERSION);
  const vmctl = join(dirname(path), 'vmctl');
  if (existsSync(vmctl)) return vmctl;
  throw new Error(`vmctl is needed and not beside ${path}: set VMCTL to its path`);
}

/** The versions of all programs. Debian's vmctl does not report its version: it is that of the package, unless VMCTL is set. */
export async function versions(): Promise<Record<string, string>> {
  const [prometheus, victoria] = await Promise.all([
    findServer('prometheus', PROMETHEUS_VERSION),
    findServer('victoria-metrics', VICTORIA_METRICS_VERSION),
  ]);
  return {
    node: process.version,
    prometheus: prometheus.version,
    victoriaMetrics: victoria.version,
    vmctl: process.env['VMCTL'] ?? victoria.version,
  };
}
