// What the flags of a VictoriaMetrics say about samples that it stores but does not show, or removes later. Pure. The server shows only the flags that
// are set.

/** The client reads no more than this. */
const SHOWN_BYTES = 4 * 1024;
const FLAG_LINE = /^-[\w.]+=".*"$/;
const CHANGES_SAMPLES = /^-(?:downsampling\.period|retentionFilter)="[^"]/m;

/** @returns its `-dedup.minScrapeInterval` (`15s`); undefined if it is off, or not known */
export function deduplicationInterval(flags: string | undefined): string | undefined {
  const [, interval] = /^-dedup\.minScrapeInterval="([^"\s]{1,100})"/m.exec(flags ?? '') ?? [];
  return interval !== undefined && !/^0[a-z]*$/.test(interval) ? interval : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `1m30s`, as Go writes durations; undefined if it has another form. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let sumMs = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sumMs += Number(number) * (UNIT_MS[unit] ?? 0);
  return sumMs > 0 ? Math.ceil(sumMs) : undefined;
}

/**
 * The end of a request that shows the samples before `toMs` as a request of all data would. Of the samples in each interval, whose ends are multiples
 * of its length, the last one of those requested is shown: a request that ends inside an interval shows one more.
 */
export function endOfInterval(toMs: number, intervalMs: number): number {
  return Math.ceil((toMs - 1) / intervalMs) * intervalMs + 1;
}

/** Whether it is known that the server shows all samples as it stores them. */
export function showsStoredSamples(flags: string | undefined): boolean {
  if (flags === undefined || Buffer.byteLength(flags) >= SHOWN_BYTES) return false;
  const lines = flags.split('\n');
  const areFlags = lines.pop() === '' && lines.every((line) => FLAG_LINE.test(line));
  return areFlags && deduplicationInterval(flags) === undefined && !CHANGES_SAMPLES.test(flags);
}
