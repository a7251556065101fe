// A manifest from two ends and a time range, for those who have none: `init` writes it, and `run` uses it at once. Pure.

import { COMPILED_CRD } from '../../api/compiled-crd.ts';
import { parseTime } from '../../api/time.ts';
import { chooseDestination } from './choose-destination.ts';
import { chooseSource, chooseStart } from './choose-source.ts';
import { type EndLook, NeedsChoice, type Note } from './end-look.ts';
import { nameOf } from './end-url.ts';

/** What the user says. */
export interface Ends {
  readonly source: string;
  readonly destination: string;
  /** Where the destination is read: a URL, or `none`. */
  readonly progress?: string;
  readonly name?: string;
  /** RFC 3339. */
  readonly start?: string;
  readonly end?: string;
  readonly selectors: readonly string[];
}

export interface ManifestDraft {
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly notes: readonly Note[];
}

interface DraftOptions {
  readonly looks: { readonly source: EndLook; readonly destination: EndLook };
  readonly nowMs: number;
  /** Whether what cannot be known may be filled in with a guess. */
  readonly mayGuess: boolean;
}

/** @throws NeedsChoice */
export function draftManifest(ends: Ends, { looks, nowMs, mayGuess }: DraftOptions): ManifestDraft {
  const source = chooseSource(ends.source, looks.source, mayGuess);
  const { progress } = ends;
  const destination = chooseDestination(ends.destination, looks.destination, {
    mayGuess,
    ...(progress !== undefined && { progress }),
  });
  const start = startOf(ends, looks.source, nowMs);
  const manifest = withSpec(ends, {
    source: { ...(source.protocol !== 'RemoteRead' && { protocol: source.protocol }), url: source.url },
    destination: { url: destination.url, ordering: destination.ordering, progress: destination.progress },
    ...(ends.selectors.length > 0 && { selectors: ends.selectors }),
    timeRange: { start: start.text, ...(ends.end !== undefined && { end: ends.end }) },
  });
  return { manifest, notes: [...source.notes, ...destination.notes, ...start.notes] };
}

/** With the URLs as they were given: to find what is wrong with them before they are used. */
export function rawManifest(ends: Ends): ManifestDraft['manifest'] {
  const { progress } = ends;
  const protocol = /^grpcs?:/i.test(ends.source) ? 'ThanosStore' : 'RemoteRead';
  return withSpec(ends, {
    source: { protocol, url: ends.source },
    destination: {
      url: ends.destination,
      progress:
        progress === undefined || progress === 'none' ? { protocol: 'None' } : { protocol: 'PromQL', url: progress },
    },
    ...(ends.selectors.length > 0 && { selectors: ends.selectors }),
    // Of a start that is still to be found, nothing can be wrong.
    timeRange: { start: ends.start ?? '1970-01-01T00:00:00Z', ...(ends.end !== undefined && { end: ends.end }) },
  });
}

function withSpec(ends: Ends, spec: object): ManifestDraft['manifest'] {
  const { apiVersion, kind } = COMPILED_CRD.resource;
  return { apiVersion, kind, metadata: { name: ends.name ?? defaultName(ends) }, spec };
}

function defaultName({ source, destination }: Ends): string {
  // An invalid URL is reported separately.
  return URL.canParse(source) && URL.canParse(destination) ? nameOf(source, destination) : 'migration';
}

function startOf(ends: Ends, look: EndLook, nowMs: number): { readonly text: string; readonly notes: readonly Note[] } {
  if (ends.start !== undefined) return { text: ends.start, notes: [] };
  const endMs = ends.end === undefined ? nowMs : (parseTime(ends.end) ?? nowMs);
  const chosen = chooseStart(look, endMs);
  if (chosen === undefined)
    throw new NeedsChoice('the source does not show how old its samples are', 'set --start TIME');
  return { text: new Date(chosen.startMs).toISOString().replace('.000Z', 'Z'), notes: [chosen.note] };
}
