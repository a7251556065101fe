// How a destination is written and read back: URL, ordering and progress, from what is known of it. Pure.

import { formatDuration } from '../../telemetry/format.ts';
import { acceptsAnyOrder } from '../preflight/store-traits.ts';
import { refusalNotes, urlNotes } from './choose-source.ts';
import {
  type EndLook,
  type EndProduct,
  NeedsChoice,
  type Note,
  productText,
  QUERY_PATH,
  READ_PATHS,
  WRITE_PATHS,
} from './end-look.ts';
import { baseUrl, clusterTenant, isComplete, joined, withDatabase, withoutPrefix } from './end-url.ts';

export interface ProgressChoice {
  readonly protocol: 'RemoteRead' | 'PromQL' | 'None';
  readonly url?: string;
}

export interface DestinationChoice {
  readonly url: string;
  readonly ordering: 'InOrder' | 'Any';
  readonly progress: ProgressChoice;
  readonly notes: readonly Note[];
}

const PROGRESS_CURE = 'set --progress URL, or --progress none to copy without a resume point';

interface Paths {
  readonly write: string;
  /** Undefined: the progress is read by the query API at the base of the URL. */
  readonly read?: string;
}

const PATHS: { readonly [product in EndProduct]?: Paths } = {
  Prometheus: { write: '/api/v1/write', read: '/api/v1/read' },
  VictoriaMetrics: { write: '/api/v1/write' },
  Mimir: { write: '/api/v1/push', read: '/prometheus/api/v1/read' },
  Cortex: { write: '/api/v1/push', read: '/prometheus/api/v1/read' },
  'Grafana Cloud': { write: '/api/prom/push', read: '/api/prom/api/v1/read' },
  InfluxDB: { write: '/api/v1/prom/write', read: '/api/v1/prom/read' },
  M3: { write: '/api/v1/prom/remote/write', read: '/api/v1/prom/remote/read' },
  Promscale: { write: '/write', read: '/read' },
  'Amazon Managed Prometheus': { write: '/api/v1/remote_write' },
  Thanos: { write: '/api/v1/receive' },
  GreptimeDB: { write: '/v1/prometheus/write' },
};

/** These have no API that shows it: the pages in docs/systems say so. */
const ALSO_ANY: readonly (EndProduct | undefined)[] = ['M3', 'Promscale'];

/**
 * @param progress where the destination is read, if the user says so: a URL, or `none`
 * @throws NeedsChoice if it is not known where the destination can be read, and `mayGuess` is false
 */
export function chooseDestination(
  url: string,
  look: EndLook,
  { progress, mayGuess }: { readonly progress?: string; readonly mayGuess: boolean },
): DestinationChoice {
  const { how } = look.product;
  const { url: writeUrl, note } = writeUrlOf(url, look);
  const ordering = orderingOf(look, mayGuess);
  const read =
    progress === undefined ? progressOf(writeUrl, look, mayGuess) : { choice: givenProgress(progress), notes: [] };
  return {
    url: writeUrl,
    ordering: ordering.value,
    progress: read.choice,
    notes: [
      { path: ['destination'], how, text: productText(look) },
      ...urlNotes('destination', url, writeUrl, how),
      ...(note === undefined ? [] : [note]),
      ordering.note,
      ...receiverNotes(look),
      ...read.notes,
      ...refusalNotes('destination', look),
    ],
  };
}

function writeUrlOf(url: string, look: EndLook): { readonly url: string; readonly note?: Note } {
  const { name } = look.product;
  const guess = (text: string): Note => ({ path: ['destination', 'url'], how: 'guessed', text });
  if (isComplete(url)) return { url };
  // Their queries have a prefix that their writes do not have.
  const base = name === 'Mimir' || name === 'Cortex' ? withoutPrefix(baseUrl(url), ['/prometheus']) : baseUrl(url);
  if (name === 'VictoriaMetrics' && look.isCluster === true && clusterTenant(base) === undefined)
    return { url: joined(base, '/insert/0/prometheus/api/v1/write'), note: guess('a cluster, tenant 0') };
  if (name === 'InfluxDB') {
    const { url: withDb, isGuessed } = withDatabase(joined(base, '/api/v1/prom/write'));
    return { url: withDb, ...(isGuessed && { note: guess('the database is called prometheus') }) };
  }
  const path = name === undefined ? WRITE_PATHS.find((tried) => look.served?.includes(tried)) : PATHS[name]?.write;
  if (path !== undefined) return { url: joined(base, path) };
  return { url: joined(base, '/api/v1/write'), note: guess('no path that is usual for remote_write was found') };
}

/** Any order in a store that needs InOrder fails after hours: a run does not take it on a guess. */
function orderingOf(
  { product: { name, how }, report }: EndLook,
  mayGuess: boolean,
): {
  readonly value: 'InOrder' | 'Any';
  readonly note: Note;
} {
  const note = (noteHow: Note['how'], text: string): Note => ({
    path: ['destination', 'ordering'],
    how: noteHow,
    text,
  });
  const isKnown = mayGuess || how === 'found';
  if (isKnown && name !== 'Promscale' && acceptsAnyOrder(name))
    return { value: 'Any', note: note(how, 'it accepts samples of any age, in any order') };
  if (isKnown && ALSO_ANY.includes(name))
    return { value: 'Any', note: note('guessed', `${name} accepts old samples, if it is configured so`) };
  const windowMs = report?.outOfOrderMs;
  if (windowMs === undefined) return { value: 'InOrder', note: note('guessed', 'the order that every store accepts') };
  const text =
    windowMs === 0
      ? 'no out-of-order window: it accepts nothing that is much older than its newest sample'
      : `an out-of-order window of ${formatDuration(windowMs)}`;
  return { value: 'InOrder', note: note('found', text) };
}

function receiverNotes({ report }: EndLook): Note[] {
  if (report?.acceptsWrites !== false) return [];
  const text = 'it does not accept remote write: start it with --web.enable-remote-write-receiver';
  return [{ path: ['destination', 'url'], how: 'hint', text }];
}

function givenProgress(given: string): ProgressChoice {
  if (given === 'none') return { protocol: 'None' };
  return /\/(?:remote_)?read\/*$/.test(new URL(given).pathname)
    ? { protocol: 'RemoteRead', url: given }
    : { protocol: 'PromQL', url: given };
}

interface ProgressFound {
  readonly choice: ProgressChoice;
  readonly notes: readonly Note[];
}

function progressOf(writeUrl: string, look: EndLook, mayGuess: boolean): ProgressFound {
  const { name } = look.product;
  const base = baseUrl(writeUrl);
  const cluster = clusterTenant(writeUrl);
  if (name === 'VictoriaMetrics' && cluster !== undefined)
    return guessedAt(selectUrl(writeUrl, cluster.tenant), 'vmselect', mayGuess);
  if (name === 'Thanos') return guessedAt(queryUrl(writeUrl), 'a Thanos Query that sees this Receive', mayGuess);
  if (name === 'Azure Monitor') return none('it takes no old samples and is not read back', mayGuess);
  if (name === 'GreptimeDB') return found({ protocol: 'PromQL', url: withoutQuery(base) });
  if (name !== undefined) {
    const read = PATHS[name]?.read;
    if (read === undefined) return found({ protocol: 'PromQL', url: withoutQuery(base) });
    return found({ protocol: 'RemoteRead', url: joined(base, read) });
  }
  const path = READ_PATHS.find((tried) => look.served?.includes(tried));
  if (path !== undefined) return found({ protocol: 'RemoteRead', url: joined(base, path) });
  if (look.served?.includes(QUERY_PATH) === true) return found({ protocol: 'PromQL', url: base });
  return none('no API was found with which it can be read', mayGuess);
}

function found(choice: ProgressChoice): ProgressFound {
  return { choice, notes: [] };
}

function none(why: string, mayGuess: boolean): ProgressFound {
  if (!mayGuess) throw new NeedsChoice(`the destination cannot be read, which a resume needs: ${why}`, PROGRESS_CURE);
  const text = `${why}: a run that is repeated starts from the beginning, and nothing can be verified`;
  return { choice: { protocol: 'None' }, notes: [{ path: ['destination', 'progress'], how: 'guessed', text }] };
}

function guessedAt(url: string, what: string, mayGuess: boolean): ProgressFound {
  if (!mayGuess) throw new NeedsChoice(`the destination is read at another address: that of ${what}`, PROGRESS_CURE);
  const note: Note = { path: ['destination', 'progress', 'url'], how: 'guessed', text: `the address of ${what}` };
  return { choice: { protocol: 'PromQL', url }, notes: [note] };
}

/** Of the same tenant at vmselect. */
export function selectUrl(writeUrl: string, tenant: string): string {
  const url = new URL(writeUrl);
  url.hostname = url.hostname.replace('vminsert', 'vmselect');
  if (url.port === '8480') url.port = '8481';
  return `${url.protocol}//${url.host}/select/${tenant}/prometheus`;
}

function queryUrl(writeUrl: string): string {
  const { protocol, hostname } = new URL(writeUrl);
  const host = hostname.includes('receive') ? hostname.replace('receive', 'query') : 'thanos-query';
  return `${protocol}//${host}:10902`;
}

function withoutQuery(url: string): string {
  const { search } = new URL(url);
  return url.slice(0, url.length - search.length);
}
