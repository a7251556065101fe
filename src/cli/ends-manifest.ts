// From --source and --destination to a manifest: checks the flags as a manifest is checked, asks both ends what they are, and drafts it.
// Loaded only with these flags and for `init`.

import type { Problem } from '../api/problem.ts';
import { validateMigration } from '../api/validate.ts';
import { type EndLook, NeedsChoice, type Note } from '../migration/ends/end-look.ts';
import { lookAtEnd, unaskedLook } from '../migration/ends/look-at-end.ts';
import { draftManifest, type Ends, type ManifestDraft, rawManifest } from '../migration/ends/manifest-draft.ts';
import { toMigrationError } from '../migration/report/migration-error.ts';
import type { Clock } from '../telemetry/clock.ts';
import { formatTime } from '../telemetry/format.ts';
import { redactUrl } from '../telemetry/secret.ts';
import { EndError } from './end-error.ts';
import { flagOf } from './end-flags.ts';
import { UsageError } from './usage-error.ts';

export interface EndsContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly waitMs: number;
  readonly command: string;
  /** `guess`: an end that wants credentials, or is read somewhere else, is guessed at. `offline`: nothing is asked. */
  readonly unknown: 'refuse' | 'guess' | 'offline';
  readonly say: (line: string) => void;
}

export type EndsManifest = { readonly draft: ManifestDraft } | { readonly problems: readonly Problem[] };

/**
 * @throws UsageError if the flags leave something open that has to be chosen
 * @throws EndError if an end does not respond
 */
export async function manifestOfEnds(ends: Ends, context: EndsContext): Promise<EndsManifest> {
  const nowMs = context.clock.now();
  const validated = validateMigration(rawManifest(ends), nowMs);
  if ('problems' in validated) {
    const origin = { file: '', document: undefined };
    return { problems: asFlags(validated.problems.map((problem) => ({ ...origin, ...problem }))) };
  }
  const [source, destination] = await Promise.all([
    look('source', ends.source, context),
    look('destination', ends.destination, context),
  ]);
  try {
    return {
      draft: draftManifest(ends, { looks: { source, destination }, nowMs, mayGuess: context.unknown !== 'refuse' }),
    };
  } catch (error) {
    if (error instanceof NeedsChoice) throw new UsageError(`${error.message}: ${error.cure}`, context.command);
    throw error;
  }
}

async function look(side: 'source' | 'destination', url: string, context: EndsContext): Promise<EndLook> {
  if (context.unknown === 'offline') return unaskedLook(url);
  let found: EndLook;
  try {
    found = await lookAtEnd(side, url, { ...context, onFirstFailure: waitingFor(side, context.say) });
  } catch (error) {
    const isInit = context.unknown === 'guess';
    const cure = isInit ? `; check --${side}, or use --offline to guess` : `; check --${side}`;
    const { code, message, hint } = toMigrationError(error, side);
    throw new EndError(`${message}${hint === undefined ? '' : ` (${hint})`}${cure}`, { code, side });
  }
  if (found.isRefused !== true || context.unknown === 'guess') return found;
  throw new EndError(
    `the ${side} wants credentials (${redactUrl(url)}): write a manifest with prom-migrator init, refer to a Secret in spec.${side}, and use -f`,
    { code: 'unauthorized', side },
  );
}

/** Says once why nothing happens, and for how long. */
function waitingFor(
  side: 'source' | 'destination',
  say: EndsContext['say'],
): (error: unknown, untilMs: number) => void {
  return (error, untilMs) => {
    const until = formatTime(untilMs);
    say(`${toMigrationError(error, side).message}; retrying until ${until ?? 'it responds'}`);
  };
}

/** Problems with the manifest as problems with the flags that it was made from. */
export function asFlags(problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => {
    const flag = flagOf(problem.path);
    const isCredential = problem.message.includes('must not contain a user or a password');
    return {
      ...problem,
      file: flag ?? 'the manifest made of the flags',
      document: undefined,
      message: isCredential
        ? 'must not contain a user or a password: everyone on this machine can read a command line; write a manifest with prom-migrator init, without them, and refer to a Secret there'
        : problem.message,
    };
  });
}

/** For stderr. */
export function noteText({ path, how, text }: Note): string {
  return `${how === 'hint' ? 'note' : how}: spec.${path.join('.')}: ${text}`;
}

/** What was chosen, in a line for each end. */
export function choiceLines({ manifest, notes }: ManifestDraft): string[] {
  const { metadata, spec } = manifest as {
    metadata: { name: string };
    spec: {
      source: { protocol?: string; url: string };
      destination: { url: string; ordering: string; progress: { protocol: string; url?: string } };
    };
  };
  const { source, destination } = spec;
  const { progress } = destination;
  const whatIs = (side: string) => notes.find(({ path }) => path.length === 1 && path[0] === side)?.text ?? 'a store';
  const readBack =
    progress.url === undefined
      ? 'without a resume point'
      : `progress by ${progress.protocol} at ${redactUrl(progress.url)}`;
  return [
    `source: ${whatIs('source')}, read by ${source.protocol ?? 'RemoteRead'} at ${redactUrl(source.url)}`,
    `destination: ${whatIs('destination')}, written at ${redactUrl(destination.url)}, ordering ${destination.ordering}, ${readBack}`,
    `migration: ${metadata.name}`,
  ];
}
