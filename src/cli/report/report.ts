// `--report FILE.html` of `run` and `verify`: observes the run and writes the page at its end, also if the run fails or is interrupted.

import type { MigrationPlan } from '../../migration/plan/migration-plan.ts';
import type { MigrationObserver, MigrationResult } from '../../migration/report/observer.ts';
import { readServerVersion } from '../../remote/build-info.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { VERSION } from '../../telemetry/version.ts';
import type { ReportModel, ReportSide } from './page/model.ts';
import { renderReport } from './page/page.ts';
import { settingsOf } from './plan-settings.ts';
import { Recorder } from './recorder.ts';
import { writeReportFile } from './report-file.ts';

export interface ReportOptions {
  readonly file: string;
  readonly plan: MigrationPlan;
  /** The files given with -f. */
  readonly manifests: ReportModel['manifests'];
  readonly clock: Clock;
}

export interface Report {
  readonly file: string;
  /** Give it to the run, among the other observers. */
  readonly observer: MigrationObserver;
  /**
   * Asks both sides for their versions and writes the file. Never rejects.
   * @returns why the file could not be written, or undefined
   */
  write(result: MigrationResult): Promise<string | undefined>;
}

/** The run begins now. Check the file with `reportFileProblem` before. */
export function openReport({ file, plan, manifests, clock }: ReportOptions): Report {
  const recorder = new Recorder(clock);
  const [startedMs, startedMonotonicMs] = [clock.now(), clock.monotonicMs()];
  return {
    file,
    observer: recorder,
    async write({ progress, error }) {
      // Before the requests below: they are no part of the run.
      const record = recorder.record();
      const durationMs = clock.monotonicMs() - startedMonotonicMs;
      const model: ReportModel = {
        toolVersion: VERSION,
        migration: plan.migration,
        id: plan.id,
        sides: await sidesOf(plan, clock),
        settings: settingsOf(plan),
        startedMs,
        endedMs: startedMs + durationMs,
        durationMs,
        progress,
        error,
        record,
        manifests,
      };
      return writeReportFile(file, renderReport(model));
    },
  };
}

function sidesOf({ source, destination, progress }: MigrationPlan, clock: Clock): Promise<ReportSide[]> {
  const sides: [ReportSide['role'], Endpoint][] = [
    ['Source', source],
    ['Destination', destination],
    ...(progress.protocol === 'None' ? [] : [['Progress', progress.endpoint] satisfies [ReportSide['role'], Endpoint]]),
  ];
  return Promise.all(
    sides.map(async ([role, endpoint]) => ({
      role,
      url: String(endpoint.url),
      version: await readServerVersion(endpoint, { clock }),
    })),
  );
}
