// What a report consists of so far. A request that fails is no reason to stop: what it would have brought is noted as missing.

import { KubeApiError, KubeConnectionError } from '../operator/kube/kube-errors.ts';
import type { Collected, Missing } from './report/bundle.ts';
import { redactText } from './report/redact.ts';

/** The files of a report, and what is missing in it. */
export class Collection {
  readonly collected: Collected[] = [];
  readonly missing: Missing[] = [];

  add(path: string, what: string, text: string): void {
    this.collected.push({ path, what, text });
  }

  addJson(path: string, what: string, value: unknown): void {
    this.add(path, what, `${JSON.stringify(value, undefined, 2)}\n`);
  }

  addLines(path: string, what: string, lines: readonly string[]): void {
    this.add(path, what, lines.map((line) => `${line}\n`).join(''));
  }

  lacks(what: string, why: string): void {
    this.missing.push({ what, why: redactText(why) });
  }

  /** What the request returns; undefined if it fails, which is noted. */
  async attempt<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof KubeApiError) && !(error instanceof KubeConnectionError)) throw error;
      this.lacks(what, error.message);
      return undefined;
    }
  }
}
