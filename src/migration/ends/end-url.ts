// The URLs of a migration's ends: which are complete, what a product's paths are, and the name that follows from both. Pure.

import { createHash } from 'node:crypto';

/** The paths of remote read, remote write and query APIs that end a URL. */
const ENDPOINT_PATH =
  /\/(?:api\/v1\/prom\/remote\/(?:read|write)|api\/v1\/prom\/(?:read|write)|api\/v1\/(?:read|write|push|receive|remote_read|remote_write|query|export)|api\/prom\/push|read|write|push|receive)\/*$/;
/** InfluxDB's database, which every URL of it has. */
const DATABASE = { name: 'db', value: 'prometheus' } as const;
const LONGEST_NAME = 63;

/** Whether the URL ends with the path of an endpoint, and is not only the address of a server. */
export function isComplete(url: string): boolean {
  return ENDPOINT_PATH.test(new URL(url).pathname);
}

/** The URL without the path of its endpoint, without a slash at its end. A query string stays. */
export function baseUrl(url: string): string {
  return withPath(url, new URL(url).pathname.replace(ENDPOINT_PATH, '').replace(/\/+$/, ''));
}

/** The base with a path at its end. What the base ends with and the path begins with (`/prometheus`, `/api/prom`) is there once. */
export function joined(base: string, path: string): string {
  const prefix = new URL(base).pathname.replace(/\/+$/, '');
  const segments = path.split('/').slice(1);
  const starts = segments.map((_, index) => `/${segments.slice(0, segments.length - index).join('/')}`);
  const overlap = starts.find((start) => prefix.endsWith(start)) ?? '';
  return withPath(base, prefix + path.slice(overlap.length));
}

/** The base without one of these prefixes at its end. */
export function withoutPrefix(base: string, prefixes: readonly string[]): string {
  const path = new URL(base).pathname.replace(/\/+$/, '');
  const prefix = prefixes.find((candidate) => path.endsWith(candidate));
  return prefix === undefined ? base : withPath(base, path.slice(0, path.length - prefix.length));
}

/** @returns `isGuessed` if the URL named no database */
export function withDatabase(url: string): { readonly url: string; readonly isGuessed: boolean } {
  const parsed = new URL(url);
  if (parsed.searchParams.has(DATABASE.name)) return { url, isGuessed: false };
  parsed.searchParams.set(DATABASE.name, DATABASE.value);
  return { url: parsed.href, isGuessed: true };
}

function withPath(url: string, path: string): string {
  const parsed = new URL(url);
  parsed.pathname = path;
  parsed.hash = '';
  // An address alone gets a slash from URL, which the manifest does not need.
  return path === '' ? `${parsed.protocol}//${parsed.host}${parsed.search}` : parsed.href;
}

/** Which part of a VictoriaMetrics cluster the URL is the tenant's path of. */
export function clusterTenant(
  url: string,
): { readonly part: 'insert' | 'select'; readonly tenant: string } | undefined {
  const [, part, tenant = ''] = /\/(insert|select)\/([^/]+)\/prometheus(?:\/|$)/.exec(new URL(url).pathname) ?? [];
  return part === 'insert' || part === 'select' ? { part, tenant } : undefined;
}

/**
 * The default name of a migration: the hosts and ports of both ends, as written in the URLs. The same ends have the same name, so the same
 * command finds its marks again.
 */
export function nameOf(source: string, destination: string): string {
  const name = `${hostName(source)}-to-${hostName(destination)}`;
  if (name.length <= LONGEST_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, LONGEST_NAME - hash.length - 1).replace(/[-.]+$/, '')}-${hash}`;
}

function hostName(url: string): string {
  const { hostname, port } = new URL(url);
  // A fully qualified name may end with a dot.
  const host = `${hostname.replace(/\.+$/, '')}${port === '' ? '' : `:${port}`}`;
  const plain = host.toLowerCase().replace(/[^a-z0-9.]+/g, '-');
  // Each label starts and ends with a letter or digit.
  return plain.replace(/-*\.[-.]*/g, '.').replace(/^[-.]+|[-.]+$/g, '') || 'host';
}
