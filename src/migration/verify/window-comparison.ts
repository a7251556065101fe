// Compares single windows: creates the readers of both sides, and compares the parts that they return.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { WireError } from '../../wire/errors.ts';
import { canonicalLabels, type LabelBytes, metricName } from '../../wire/labels.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { Indivisible, keepsLabels } from '../read/earlier-series.ts';
import { SourceReader } from '../read/source-reader.ts';
import { UncertainWindow } from '../read/uncertain-window.ts';
import type { WindowPart } from '../read/window-part.ts';
import { MigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { Difference } from '../report/verification.ts';
import { DestinationCompanion } from './destination-companion.ts';
import type { DestinationPart } from './destination-reader.ts';
import { MetricNames } from './metric-names.ts';
import { PartComparison, type PartComparisonOptions, UndecodableDestination } from './part-comparison.ts';
import { type SelectedSeries, Selection } from './selection.ts';
import type { DifferingRange } from './rechecks.ts';
import type { Sides } from './sides.ts';
import type { WindowOutcome } from './window-outcome.ts';

export interface WindowComparisonOptions {
  readonly plan: MigrationPlan;
  readonly sides: Sides;
  readonly clock: Clock;
  readonly observer: MigrationObserver;
  /** Of the requests and waits. */
  readonly progress: MigrationProgress;
  /** Gets every single difference of the series for which the visitor returns true. */
  readonly report: (difference: Difference) => void;
  /** Ends the waits for a rate limit. */
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
}

/** How windows are compared has changed. What was read before, also ahead, has to be read again. */
export class LearnedMeanwhile extends Error {
  override readonly name = 'LearnedMeanwhile';
  readonly fromMs: number;

  /** @param what is known now */
  constructor(fromMs: number, what: string) {
    super(`it is now known ${what}`);
    this.fromMs = fromMs;
  }
}

/** Longer windows cut fewer chunks. The rest is for the beginning of the next window, and for windows that have more than the one before. */
const WHOLE_WINDOW_SHARE = 0.8;
/** Where the destination follows, the source sends the next window meanwhile. Most of it fits beside the current one; its end waits. */
const FOLLOWED_WINDOW_SHARE = 0.6;
const MAX_HISTOGRAM_NAMES = 100_000;
const MAX_SHOWN_NAMES = 5;

/** What happens with the series of a part. */
export type PartLook = Pick<PartComparisonOptions, 'visit' | 'leave' | 'only'>;

export type ComparedPart = WindowPart<DestinationPart>;

/** The response of a side turned out to be undecodable. */
export class UndecodableWindow extends Error {
  override readonly name = 'UndecodableWindow';
  readonly window: { readonly fromMs: number; readonly toMs: number };
  override readonly cause: WireError | UndecodableDestination;

  constructor(window: { fromMs: number; toMs: number }, cause: WireError | UndecodableDestination) {
    super(cause.message);
    this.window = window;
    this.cause = cause;
  }
}

export class WindowComparison {
  readonly #options: WindowComparisonOptions;
  readonly #plan: MigrationPlan;
  readonly #selection: Selection;
  /** Undefined if no relabeling can change a name. */
  readonly #names: MetricNames | undefined;
  /** The metrics with native histograms, if the destination is VictoriaMetrics. */
  readonly #histogramNames = new Set<string>();
  #isAppearanceKnown = false;

  constructor(options: WindowComparisonOptions) {
    this.#options = options;
    const { plan } = options;
    const { window } = plan;
    this.#plan = { ...plan, window: { ...window, maxMs: window.comparedMaxMs } };
    this.#selection = new Selection(plan);
    this.#names = plan.relabelings.length === 0 ? undefined : new MetricNames();
  }

  /**
   * Whether the response for the next window may stop arriving until this one has been compared, because windows take most of the memory. Nothing
   * else may be waited for meanwhile: a server or a proxy would end a response that is not read.
   */
  get #mayStall(): boolean {
    const { limits } = this.#plan;
    return limits.samplesPerSecond === undefined && limits.bytesPerSecond === undefined;
  }

  /** A reader of both sides. */
  reader(only: SelectedSeries): SourceReader<DestinationPart> {
    const { sides, observer, progress, clock, plan } = this.#options;
    const { router } = sides;
    const atOnce = plan.progress.protocol === 'RemoteRead';
    return new SourceReader<DestinationPart>({
      plan: this.#plan,
      client: sides.source,
      proof: sides.sourceProof,
      budget: sides.memory.source,
      ...(this.#mayStall && { windowShare: atOnce ? WHOLE_WINDOW_SHARE : FOLLOWED_WINDOW_SHARE }),
      inParts: this.#mayStall && atOnce && keepsLabels(plan),
      router,
      retrier: sides.retrier,
      observer,
      progress,
      clock,
      // Makes the reader collect the names after relabelling.
      uncertainUntilMs: this.#selection.needsNames ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
      ...(only.matcher !== undefined && { only: only.matcher }),
      companion: new DestinationCompanion({
        endpoint: sides.destinationEndpoint,
        reader: sides.destination,
        appearance: sides.view,
        selection: this.#selection,
        budget: sides.memory.destination,
        buffers: sides.pool,
        router,
        countsExtra: plan.verification.onExtra === 'Report',
        names: this.#names,
        only: { ...only, keepsOthers: !this.#isAppearanceKnown },
      }),
    });
  }

  /**
   * Compares all series of a part that were not compared on arrival, or those that `only` selects.
   * @throws UndecodableWindow, UncertainWindow, LearnedMeanwhile
   */
  async compare(part: ComparedPart, look: PartLook): Promise<void> {
    const { sides, plan, stop, signal, report } = this.#options;
    const { companion } = part;
    if (companion === undefined) throw new Error('the destination was not read');
    const waiting = AbortSignal.any([signal, stop]);
    await sides.samplesRate.take(part.outline.sampleBound, waiting);
    await sides.bytesRate.take(part.receivedBytes, waiting);
    try {
      await this.#learnAppearance(part, companion);
      await this.#run(part, companion, {
        ...look,
        report: (labels, { kind, timeMs, source, destination }) =>
          report({ labels, timestampMs: timeMs, kind, source, destination }),
        countsExtra: plan.verification.onExtra === 'Report',
      });
    } catch (error) {
      throw asErrorOfWindow(error, part.window);
    }
  }

  /**
   * All parts of a window were compared.
   * @returns what has to be read as a whole: relabelings merge it from metrics in different parts
   * @throws LearnedMeanwhile
   */
  rangesLeft(outcome: WindowOutcome, { fromMs }: ComparedPart['window']): DifferingRange[] {
    if (this.#names === undefined) return [];
    if (!outcome.knew(this.#names)) throw new LearnedMeanwhile(fromMs, 'which metrics become one in the destination');
    return outcome.leftRanges(this.#names);
  }

  /**
   * A destination may add labels to every series. If nothing of a part is found, and the destination has other series instead, that may be why. Then
   * a sample with known labels is written to find out.
   * @throws LearnedMeanwhile
   */
  async #learnAppearance(part: ComparedPart, companion: DestinationPart): Promise<void> {
    const { index, arriving } = companion;
    const { sides, signal } = this.#options;
    if (this.#isAppearanceKnown || part.outline.entries === 0) return;
    if (arriving !== undefined && arriving.counts.seriesCompared > 0) this.#isAppearanceKnown = true;
    if (this.#isAppearanceKnown || index.entries === 0) return;
    const isAnyFound = this.#isAnyFound(part, companion);
    this.#isAppearanceKnown = true;
    if (isAnyFound) return;
    await sides.view.learnHowItShows(part.fromMs, signal);
    throw new LearnedMeanwhile(part.window.fromMs, 'which labels the destination adds');
  }

  #isAnyFound({ cursors }: ComparedPart, { index, borders }: DestinationPart): boolean {
    const { router } = this.#options.sides;
    for (const cursor of cursors) {
      cursor.rewind();
      while (cursor.next()) {
        borders?.check(canonicalLabels(cursor.labels));
        const route = router.route(cursor.labels);
        if (route.kind === 'write' && index.visit(route.labels, route.hash, () => undefined) > 0) return true;
      }
    }
    return false;
  }

  /** Whether VictoriaMetrics has made the series from a native histogram. The metric of the histogram comes first in the order of names. */
  #isOfHistogram(labels: LabelBytes): boolean {
    if (this.#histogramNames.size === 0) return false;
    const [, base] = /^(.*)_(?:bucket|sum|count)$/.exec(metricName(labels)) ?? [];
    return base !== undefined && this.#histogramNames.has(base);
  }

  async #run(
    part: ComparedPart,
    companion: DestinationPart,
    options: PartLook & Pick<PartComparisonOptions, 'report' | 'countsExtra'>,
  ): Promise<void> {
    const { sides, signal } = this.#options;
    const comparison = new PartComparison(part, companion, {
      ...options,
      router: sides.router,
      hasHistograms: (labels) => {
        if (companion.lens.victoriaMetrics && this.#histogramNames.size < MAX_HISTOGRAM_NAMES)
          this.#histogramNames.add(metricName(labels));
      },
      countsExtraSeries: (labels) => this.#selection.isExtra(labels) && !this.#isOfHistogram(labels),
    });
    await comparison.run(signal);
  }
}

function asErrorOfWindow(error: unknown, window: ComparedPart['window']): unknown {
  if (error instanceof WireError || error instanceof UndecodableDestination)
    return new UndecodableWindow(window, error);
  if (error instanceof Indivisible) return new UncertainWindow(window, 'indivisible', error);
  return error;
}

/** What is reported while a response of the destination that could not be decoded is read again. */
export function damagedOnce({ message }: UndecodableDestination): RemoteError {
  const what = `sent a response that cannot be decoded: ${message}`;
  return new RemoteError({ class: 'transient', code: 'bad-response', side: 'progress', status: 200, what });
}

/** The error for responses that stay undecodable. */
export function undecodableDestination(cause: UndecodableDestination): MigrationError {
  const message = `a response of the destination cannot be decoded: ${cause.message}`;
  const hint = 'find out what changes response bodies on the way; if it persists, the data in the store is damaged';
  return new MigrationError('destination-undecodable', message, { side: 'progress', hint, cause });
}

/** The error for series that do not fit into memory together, although relabelings make one series of them. */
export function mergedTooLarge(ranges: readonly DifferingRange[]): MigrationError {
  const names = ranges.flatMap(({ names: some }) => [...(some ?? [])]);
  const shown = names.slice(0, MAX_SHOWN_NAMES).join(', ') + (names.length > MAX_SHOWN_NAMES ? ', …' : '');
  const message = `the series of ${names.length} metrics (${shown}), which relabelings merge, have to be compared together and do not fit into memory`;
  return new MigrationError('window-too-large', message, { side: 'source', hint: 'raise spec.limits.memory' });
}
