// Reads which server and version an endpoint belongs to, with one GET. A server that does not report it is not an error.

import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../telemetry/clock.ts';
import { SecretUrl } from '../telemetry/secret.ts';
import { Deadline } from '../telemetry/deadline.ts';
import { CredentialPool } from './credentials/credential-pool.ts';
import type { Endpoint } from './http/endpoint.ts';
import { HttpClient } from './http/http.ts';

const LONGEST_MS = 5_000;
const LONGEST_TEXT = 120;

/** What the server reports about itself, such as `3.5.3 (revision 1a2b3c)`. Undefined if it does not say. Never rejects. */
export async function readServerVersion(
  endpoint: Endpoint,
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<string | undefined> {
  const buffers = { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined };
  const credentials = new CredentialPool(clock);
  const http = new HttpClient(endpoint, { clock, buffers, credentials, request: () => undefined }, 1);
  using deadline = new Deadline(signal);
  deadline.start(clock, LONGEST_MS, new Error('no response in time'));
  try {
    const url = new SecretUrl(versionUrl(endpoint.url.reveal()));
    const response = await http.request({ method: 'GET', url, headers: {}, attempt: 1, signal: deadline.signal });
    const text = await response.text();
    return versionText(response.status, response.headers, http.redact(text));
  } catch {
    return undefined;
  } finally {
    http.close();
    credentials.close();
  }
}

/** The buildinfo beside a remote read, remote write or query URL; the ping of an InfluxDB, which has no buildinfo. */
export function versionUrl(endpointUrl: string): string {
  const url = new URL(endpointUrl);
  url.hash = '';
  if (/\/api\/v1\/prom\/(?:read|write)\/*$/.test(url.pathname)) {
    url.pathname = url.pathname.replace(/\/api\/v1\/prom\/\w+\/*$/, '/ping');
    // Its query string has the credentials, which a ping does not need.
    url.search = '';
    return url.href;
  }
  const base = url.pathname.replace(/\/api\/v1\/.*$/, '').replace(/\/(?:push|api\/v1)?\/*$/, '');
  url.pathname = `${base}/api/v1/status/buildinfo`;
  return url.href;
}

/** From a response, good or bad. */
export function versionText(status: number, headers: IncomingHttpHeaders, text: string): string | undefined {
  const influxdb = oneOf(headers['x-influxdb-version']);
  if (influxdb !== undefined) return short(`InfluxDB ${influxdb}`);
  const info = status === 200 ? buildInfo(text) : undefined;
  if (info !== undefined) {
    // VictoriaMetrics reports the version of Prometheus whose API it has, and nothing else.
    if (headers['x-server-hostname'] !== undefined && info.revision === undefined)
      return short(`VictoriaMetrics, which does not report its version (API of Prometheus ${info.version})`);
    const revision = info.revision === undefined ? '' : ` (revision ${info.revision})`;
    return short(`${info.application === undefined ? 'version' : info.application} ${info.version}${revision}`);
  }
  const server = oneOf(headers['server']);
  return server === undefined ? undefined : short(`no version, only the header server: ${server}`);
}

function buildInfo(text: string): { application?: string; version: string; revision?: string } | undefined {
  let data: unknown;
  try {
    data = (JSON.parse(text) as { data?: unknown } | null)?.data;
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null) return undefined;
  const field = (name: string) => {
    const value = (data as Record<string, unknown>)[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [version, application, revision] = [field('version'), field('application'), field('revision')];
  if (version === undefined) return undefined;
  return { version, ...(application !== undefined && { application }), ...(revision !== undefined && { revision }) };
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function short(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
