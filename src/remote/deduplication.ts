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

/** Whether it is known that the server shows all samples as it stores them. */
export function showsStoredSamples(flags: string | undefined): boolean {
  if (flags === undefined || Buffer.byteLength(flags) >= SHOWN_BYTES) return false;
  const lines = flags.split('\n');
  const areFlags = lines.pop() === '' && lines.every((line) => FLAG_LINE.test(line));
  return areFlags && deduplicationInterval(flags) === undefined && !CHANGES_SAMPLES.test(flags);
}
