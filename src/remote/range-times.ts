// Extracts the timestamps of a PromQL range response from its JSON while it arrives. A series may have years of samples while only a few
// minutes are wanted, and each sample takes hundreds of bytes if the response is parsed as a whole. Values are skipped. Pure.

import { JsonCost } from './json-cost.ts';
import { meansPartial } from './partial-response.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** For numbers, `true`, `null`, keys, `status`, and the text of an error. Longer warnings are cut. */
const MAX_TOKEN_BYTES = 4096;
const SHOWN_CHARS = 1000;
/** No response nests deeper than a histogram's buckets. */
const MAX_DEPTH = 64;
/** Per time in a growing list. */
const BYTES_PER_TIME = 16;

export interface SeriesTimes {
  readonly metric: Readonly<Record<string, string>>;
  /** Only times within the range to keep. */
  readonly timesMs: readonly number[];
}

/** The labels or the timestamps of one series exceed the memory limit. */
export class SeriesTooLarge extends Error {
  override readonly name = 'SeriesTooLarge';
}

/** The bytes are not a PromQL range response. */
export class BadRange extends Error {
  override readonly name = 'BadRange';
}

/**
 * Depths in `{"status":…,"data":{"resultType":…,"result":[{"metric":{…},"values":[[time,"value"],…],"histograms":[…]},…]}}`: the number of
 * open brackets around an element.
 */
const IN_ROOT = 1;
const IN_DATA = 2;
const IN_SERIES = 4;
const IN_SAMPLES = 5;
const IN_SAMPLE = 6;

export class RangeTimes {
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #maxSeriesBytes: number;
  readonly #open: number[] = [];
  /** For each open object, the key that was read last. */
  readonly #keys: string[] = [];
  #token: number[] = [];
  #inString = false;
  #escaped = false;
  /** The position in the innermost array. */
  #index = 0;
  #metric: Uint8Array[] | undefined;
  readonly #metricCost = new JsonCost();
  #labels: Record<string, string> | undefined;
  #times: number[] = [];
  #found: SeriesTimes[] = [];
  #status = '';
  #error = '';
  #type = '';
  #missing: string | undefined;
  #ended = false;

  /** Keeps the times in [fromMs, toMs). Accepts a series if its labels take at most `maxSeriesBytes` of memory, and its timestamps too. */
  constructor(fromMs: number, toMs: number, maxSeriesBytes: number) {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.#maxSeriesBytes = maxSeriesBytes;
  }

  /**
   * Adds the next part of the response. It may be cut anywhere.
   * @returns the series that end in it
   * @throws BadRange, SeriesTooLarge
   */
  push(part: Uint8Array): SeriesTimes[] {
    this.#found = [];
    let metricFrom = this.#metric === undefined ? -1 : 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at] as number;
      if (this.#inString) this.#stringByte(byte);
      else if (isSpace(byte)) continue;
      else if (this.#ended) throw new BadRange('data after its end');
      else if (byte === QUOTE) this.#inString = true;
      else if (byte === COMMA) this.#comma();
      else if (byte === COLON) this.#colon();
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (this.#opens(byte)) metricFrom = at;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (this.#open.length === IN_SAMPLES && this.#metric !== undefined) {
          this.#keepMetric(part.subarray(metricFrom, at + 1));
          metricFrom = -1;
          this.#labels = labelsOf(this.#metric);
          this.#metric = undefined;
        }
        this.#closes(byte);
      } else this.#add(byte);
    }
    if (metricFrom >= 0) this.#keepMetric(part.subarray(metricFrom));
    return this.#found;
  }

  /**
   * Call after the last part.
   * @returns what the server reports about a part of its storage that it could not read
   * @throws BadRange
   */
  end(): { readonly missing: string | undefined } {
    if (!this.#ended) throw new BadRange('it ends in the middle');
    if (this.#status !== 'success') throw new BadRange(`status ${JSON.stringify(this.#status)}, ${this.#error}`);
    if (this.#type !== 'matrix')
      throw new BadRange(`a result of type ${JSON.stringify(this.#type)} instead of a matrix`);
    return { missing: this.#missing };
  }

  #stringByte(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      return;
    }
    // Values and labels are not tokens. Labels are kept as a whole.
    if (this.#open.length < IN_SAMPLES) this.#add(byte);
  }

  #add(byte: number): void {
    if (this.#token.length < MAX_TOKEN_BYTES) this.#token.push(byte);
    else if (!this.#isInList('warnings') && !this.#isInList('infos')) throw new BadRange('a string that is too long');
  }

  #takeToken(): string {
    const text = Buffer.from(this.#token).toString('utf8');
    this.#token = [];
    return text;
  }

  #colon(): void {
    if (this.#open.at(-1) !== OPEN_OBJECT) throw new BadRange('a colon outside of an object');
    this.#keys[this.#open.length] = this.#takeToken();
  }

  #comma(): void {
    if (this.#open.length === 0) throw new BadRange('a comma outside of an object or array');
    this.#value();
    this.#index++;
  }

  /** @returns whether the labels of a series begin here */
  #opens(byte: number): boolean {
    if (this.#token.length > 0) throw new BadRange('a bracket after a value');
    const inSample = this.#open.length === IN_SAMPLE && this.#index === 0 && this.#isInSamples();
    if (this.#open.length >= MAX_DEPTH) throw new BadRange('too many open brackets');
    this.#open.push(byte);
    this.#index = 0;
    const depth = this.#open.length;
    const isSample = (depth === IN_SAMPLES || depth === IN_SAMPLE) && this.#isInSamples();
    if (inSample || (isSample && byte !== OPEN_ARRAY)) throw new BadRange('samples that are not a list of pairs');
    if (depth !== IN_SAMPLES || !this.#isIn('metric')) return false;
    this.#metric = [];
    this.#metricCost.clear();
    return true;
  }

  #closes(byte: number): void {
    const depth = this.#open.length;
    if (this.#open.at(-1) !== (byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_ARRAY))
      throw new BadRange('an unexpected bracket');
    this.#value();
    if (depth === IN_SERIES && this.#isInResult()) this.#endSeries();
    this.#open.pop();
    this.#index = 1;
    if (depth === IN_ROOT) this.#ended = true;
  }

  /** Ends a value: a number or a string, or nothing after an object or an array. */
  #value(): void {
    const depth = this.#open.length;
    const text = this.#takeToken();
    if (depth === IN_SAMPLE && this.#index === 0 && this.#isInSamples()) this.#sampleTime(text);
    if (depth === IN_SAMPLES && text !== '' && this.#isInSamples()) throw new BadRange('a sample that is not a pair');
    const key = this.#keys[depth];
    if (depth === IN_ROOT && key === 'status') this.#status = text;
    else if (depth === IN_ROOT && key === 'error') this.#error = text;
    else if (depth === IN_ROOT && key === 'isPartial') this.#missing ??= text === 'true' ? key : undefined;
    else if (this.#isInList('warnings') && meansPartial(text)) this.#missing ??= text.slice(0, SHOWN_CHARS);
    else if (depth === IN_DATA && key === 'resultType') this.#type = text;
  }

  #sampleTime(text: string): void {
    const seconds = Number(text);
    if (text === '' || !Number.isFinite(seconds))
      throw new BadRange(`a sample with the invalid time ${JSON.stringify(text)}`);
    const timeMs = Math.round(seconds * 1000);
    if (timeMs < this.#fromMs || timeMs >= this.#toMs) return;
    this.#times.push(timeMs);
    if (this.#times.length * BYTES_PER_TIME > this.#maxSeriesBytes) throw new SeriesTooLarge();
  }

  #endSeries(): void {
    if (this.#labels === undefined) throw new BadRange('a series without labels');
    this.#found.push({ metric: this.#labels, timesMs: this.#times });
    this.#labels = undefined;
    this.#times = [];
  }

  #keepMetric(bytes: Uint8Array): void {
    this.#metricCost.add(bytes);
    if (this.#metricCost.bytes > this.#maxSeriesBytes) throw new SeriesTooLarge();
    this.#metric?.push(Uint8Array.from(bytes));
  }

  /** Whether the innermost element is this list of the response. */
  #isInList(key: string): boolean {
    return this.#open.length === IN_DATA && this.#keys[IN_ROOT] === key;
  }

  #isInResult(): boolean {
    return this.#keys[IN_ROOT] === 'data' && this.#keys[IN_DATA] === 'result';
  }

  #isInSamples(): boolean {
    return this.#isIn('values') || this.#isIn('histograms');
  }

  #isIn(key: string): boolean {
    return this.#isInResult() && this.#keys[IN_SERIES] === key;
  }
}

function labelsOf(pieces: readonly Uint8Array[]): Record<string, string> {
  let labels: unknown;
  try {
    labels = JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    throw new BadRange('labels that are not JSON');
  }
  if (!isLabels(labels)) throw new BadRange('labels that are not an object of strings');
  return labels;
}

function isLabels(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((label) => typeof label === 'string')
  );
}
