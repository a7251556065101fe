// `--report`: the file is checked before the run, and written after it. The code that renders the page is loaded only with the flag.

import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FileHash } from './manifest-files.ts';
import type { Report } from './report/report.ts';
import { UsageError } from './usage-error.ts';

/** @throws UsageError if the file cannot be written: better now than after hours */
export async function checkReportFile(file: string, command: string): Promise<void> {
  const { reportFileProblem } = await import('./report/report-file.ts');
  const problem = await reportFileProblem(file);
  if (problem !== undefined) throw new UsageError(`--report ${JSON.stringify(file)}: ${problem}`, command);
}

/** Undefined without the flag. */
export async function startReport(
  file: string | undefined,
  plan: MigrationPlan,
  manifests: readonly FileHash[],
  clock: Clock,
): Promise<Report | undefined> {
  if (file === undefined) return undefined;
  // Imported here because it loads d3, which nothing else needs.
  const { openReport } = await import('./report/report.ts');
  return openReport({ file, plan, manifests, clock });
}

/** @returns whether the file was written */
export async function writeReport(report: Report, result: MigrationResult, logger: Logger): Promise<boolean> {
  const problem = await report.write(result);
  if (problem === undefined) logger.info('report written', { file: report.file });
  else logger.error('the report could not be written', { file: report.file, error: problem });
  return problem === undefined;
}
