// What this process knows from looking at both sides of a migration, and whether another look has to precede its copy. Pure, times are passed in,
// on the monotonic clock.

import type { PromMigration, PromMigrationSpec } from '../../api/prom-migration.ts';
import type { BeforeCopy } from '../../migration/preflight-before-copy.ts';
import type { Finding } from '../../migration/preflight/preflight-result.ts';
import { unjudgedText } from '../../migration/preflight/preflight-text.ts';
import { pauseMs, type StopCause } from './attempt.ts';
import { type Look, type Obstacle, obstacleOf, shownCodes } from './look.ts';
import type { Situation } from './situation.ts';

export type PreflightState =
  /** Nothing keeps the copy from starting. */
  | { readonly kind: 'passed' }
  /** Both sides have to be looked at before it starts. `held`: what an earlier look has found. */
  | { readonly kind: 'due'; readonly held: Obstacle | undefined }
  /** Nothing may be written before the next look. */
  | ({ readonly kind: 'held'; readonly retryAtMs: number } & Obstacle);

/** A start after this time needs another look. */
const FRESH_MS = 5 * 60_000;

/** @param hasBegun whether something was copied already, as far as it is known: then no look follows */
export function preflightState(
  { spec }: PromMigration,
  look: Look | undefined,
  { hasBegun, nowMs }: { readonly hasBegun: boolean; readonly nowMs: number },
): PreflightState {
  const mode = preflightOf(spec);
  if (mode === 'Off' || hasBegun) return { kind: 'passed' };
  if (look === undefined) return { kind: 'due', held: undefined };
  const held = mode === 'Enforce' ? obstacleOf(look) : undefined;
  if (held === undefined) return nowMs - look.atMs < FRESH_MS ? { kind: 'passed' } : { kind: 'due', held };
  const retryAtMs = look.atMs + pauseMs(look.obstacles);
  return nowMs < retryAtMs ? { kind: 'held', retryAtMs, ...held } : { kind: 'due', held };
}

/** While Enforce holds the migration, another look does not change what its status says. */
export function looking(preflight: PreflightState): Situation {
  const held = preflight.kind === 'due' ? preflight.held : preflight.kind === 'held' ? preflight : undefined;
  return held === undefined ? { kind: 'preflight' } : rejected(held);
}

export function rejected({ reason, message }: Obstacle): Situation {
  return { kind: 'rejected', reason, message };
}

/** A resource under a CRD from before the field existed has none. */
export function preflightOf(spec: Partial<PromMigrationSpec>): PromMigrationSpec['preflight'] {
  return spec.preflight ?? 'Warn';
}

export class PreflightRecord {
  #last: Look | undefined;
  /** Of the look that is under way. */
  #generation = 0;
  #hasResult = false;
  readonly #reported = new Set<string>();

  /** The last look at this generation. */
  lookAt({ metadata }: PromMigration): Look | undefined {
    return this.#last?.generation === (metadata.generation ?? 0) ? this.#last : undefined;
  }

  started({ metadata }: PromMigration): void {
    this.#generation = metadata.generation ?? 0;
    this.#hasResult = false;
  }

  /** @returns the findings that were not reported for this generation yet, as far as it is known */
  found({ findings, unjudged }: BeforeCopy, { status }: Pick<PromMigration, 'status'>, nowMs: number): Finding[] {
    this.#note({ findings, unclear: unjudged.map(unjudgedText) }, nowMs);
    const shown = shownCodes(status, this.#generation);
    return findings.filter(({ code }) => {
      const topic = `${this.#generation} ${code}`;
      if (this.#reported.has(topic)) return false;
      this.#reported.add(topic);
      return !shown.has(code);
    });
  }

  /** @param failure why there is no result, unless it was stopped */
  ended(cause: StopCause | undefined, failure: string, nowMs: number): void {
    if (!this.#hasResult && cause === undefined) this.#note({ findings: [], unclear: [failure] }, nowMs);
  }

  #note(found: Pick<Look, 'findings' | 'unclear'>, atMs: number): void {
    const generation = this.#generation;
    const before = this.#last?.generation === generation ? this.#last.obstacles : 0;
    const obstacles = obstacleOf(found) === undefined ? 0 : before + 1;
    this.#last = { ...found, generation, atMs, obstacles };
    this.#hasResult = true;
  }
}
