// How a source is read: protocol and URL, from what is known of it. Pure.

import { formatDuration } from '../../telemetry/format.ts';
import {
  type EndLook,
  type EndProduct,
  NeedsChoice,
  type Note,
  productText,
  QUERY_PATH,
  READ_PATHS,
} from './end-look.ts';
import { baseUrl, clusterTenant, isComplete, joined, withDatabase } from './end-url.ts';

export interface SourceChoice {
  readonly protocol: 'RemoteRead' | 'VictoriaMetrics' | 'PromQL' | 'ThanosStore';
  readonly url: string;
  readonly notes: readonly Note[];
}

const REMOTE_READ: { readonly [product in EndProduct]?: string } = {
  Prometheus: '/api/v1/read',
  Mimir: '/prometheus/api/v1/read',
  Cortex: '/prometheus/api/v1/read',
  'Grafana Cloud': '/api/prom/api/v1/read',
  InfluxDB: '/api/v1/prom/read',
  M3: '/api/v1/prom/remote/read',
  Promscale: '/read',
  GreptimeDB: '/v1/prometheus/read',
};

const QUERY_CURE =
  'give --source the whole URL of its remote_read if it has one; otherwise let prom-migrator init write a manifest with protocol PromQL, and use -f';

/** Products without remote_read, whose query API is read. */
const QUERY_ONLY: readonly (EndProduct | undefined)[] = ['Amazon Managed Prometheus', 'Azure Monitor'];

/**
 * @param mayGuess false: the same choice each time, whatever responds at the moment
 * @throws NeedsChoice
 */
export function chooseSource(url: string, look: EndLook, mayGuess: boolean): SourceChoice {
  const { name, how } = look.product;
  const what: Note = { path: ['source'], how, text: productText(look) };
  const chosen = (protocol: SourceChoice['protocol'], chosenUrl: string, ...notes: readonly Note[]): SourceChoice => ({
    protocol,
    url: chosenUrl,
    notes: [what, ...urlNotes('source', url, chosenUrl, how), ...notes, ...refusalNotes('source', look)],
  });
  if (/^grpcs?:/.test(url)) return chosen('ThanosStore', url);
  if (name === 'VictoriaMetrics') return chosen('VictoriaMetrics', exportBase(url, look), ...exportNotes(url, look));
  if (name === 'Thanos') {
    if (!mayGuess)
      throw new NeedsChoice(
        'a Thanos is read by its StoreAPI',
        'set --source grpc://HOST:10901, or use a manifest with protocol PromQL, which does not copy stale markers',
      );
    if (look.storeUrl !== undefined) return chosen('ThanosStore', look.storeUrl);
    return chosen(
      'PromQL',
      baseUrl(url),
      protocolNote('without stale markers; the StoreAPI has them: protocol ThanosStore, url grpc://HOST:10901'),
    );
  }
  const byQueries = (why: string): SourceChoice => {
    if (!mayGuess) throw new NeedsChoice(`${why}, and that does not copy stale markers`, QUERY_CURE);
    return chosen('PromQL', baseUrl(url), protocolNote(`${why}, without stale markers`));
  };
  if (QUERY_ONLY.includes(name)) return byQueries('the source has no remote_read, so its query API is read');
  if (isComplete(url) && !new URL(url).pathname.endsWith('/query')) return chosen('RemoteRead', url);
  if (name === 'InfluxDB') {
    const { url: withDb, isGuessed } = withDatabase(joined(baseUrl(url), '/api/v1/prom/read'));
    const database: Note = { path: ['source', 'url'], how: 'guessed', text: 'the database is called prometheus' };
    return chosen('RemoteRead', withDb, ...(isGuessed ? [database] : []));
  }
  const path = name === undefined ? served(look, READ_PATHS) : REMOTE_READ[name];
  if (path !== undefined) return chosen('RemoteRead', joined(baseUrl(url), path));
  if (served(look, [QUERY_PATH]) !== undefined)
    return byQueries('the source has a query API and no remote_read at the usual paths, so its query API is read');
  return chosen('RemoteRead', joined(baseUrl(url), '/api/v1/read'), {
    path: ['source', 'url'],
    how: 'guessed',
    text: 'no path that is usual for remote_read was found',
  });
}

function protocolNote(text: string): Note {
  return { path: ['source', 'protocol'], how: 'hint', text };
}

function exportBase(url: string, { isCluster }: EndLook): string {
  const base = baseUrl(url);
  return isCluster === true && clusterTenant(base) === undefined ? joined(base, '/select/0/prometheus') : base;
}

function exportNotes(url: string, { isCluster }: EndLook): Note[] {
  if (isCluster !== true || clusterTenant(url) !== undefined) return [];
  return [{ path: ['source', 'url'], how: 'guessed', text: 'a cluster, tenant 0' }];
}

function served(look: EndLook, paths: readonly string[]): string | undefined {
  return paths.find((path) => look.served?.includes(path));
}

/** That a URL was completed. */
export function urlNotes(side: 'source' | 'destination', given: string, url: string, how: Note['how']): Note[] {
  const isSame = new URL(given).href === new URL(url).href;
  return isSame ? [] : [{ path: [side, 'url'], how, text: 'the path was added' }];
}

export function refusalNotes(side: 'source' | 'destination', { isRefused }: EndLook): Note[] {
  if (isRefused !== true) return [];
  const text = `it wants credentials: basicAuth: { username: { name: SECRET, key: username }, password: { name: SECRET, key: password } }, authorization, oauth2, sigv4, azureAd or tenant`;
  return [{ path: [side], how: 'hint', text }];
}

/** The oldest sample of the source, or how long it keeps samples. */
export function chooseStart(
  look: EndLook,
  nowMs: number,
): { readonly startMs: number; readonly note: Note } | undefined {
  const path = ['timeRange', 'start'];
  const { oldestMs, report } = look;
  const shown = oldestMs ?? report?.store?.fromMs;
  if (shown !== undefined && shown > 0 && shown < nowMs)
    return { startMs: shown, note: { path, how: 'found', text: 'the oldest sample of the source' } };
  const { retentionMs } = report ?? {};
  if (retentionMs === undefined || !Number.isFinite(retentionMs) || retentionMs >= nowMs) return undefined;
  const text = `the source keeps samples for ${formatDuration(retentionMs)}`;
  return { startMs: Math.floor((nowMs - retentionMs) / 1000) * 1000, note: { path, how: 'guessed', text } };
}
