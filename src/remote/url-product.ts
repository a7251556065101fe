// Which product a URL belongs to, for stores that do not report it. Pure.

export type UrlProduct =
  | 'Amazon Managed Prometheus'
  | 'Azure Monitor'
  | 'Grafana Cloud'
  | 'GreptimeDB'
  | 'InfluxDB'
  | 'M3'
  | 'Thanos';

const HOSTS: readonly (readonly [RegExp, UrlProduct])[] = [
  [/^aps-workspaces\./, 'Amazon Managed Prometheus'],
  [/\.monitor\.azure\.(?:com|us|cn)$/, 'Azure Monitor'],
  [/\.grafana\.net$/, 'Grafana Cloud'],
];

/** Paths that only this product has. */
const PATHS: readonly (readonly [RegExp, UrlProduct])[] = [
  [/\/api\/v1\/receive\/*$/, 'Thanos'],
  [/\/api\/v1\/prom\/remote\/(?:write|read)\/*$/, 'M3'],
  [/\/api\/v1\/prom\/(?:write|read)\/*$/, 'InfluxDB'],
  [/\/v1\/prometheus(?:\/(?:write|read))?\/*$/, 'GreptimeDB'],
];

export function productOfUrl(text: string): UrlProduct | undefined {
  const { hostname, pathname } = new URL(text);
  return HOSTS.find(([host]) => host.test(hostname))?.[1] ?? PATHS.find(([path]) => path.test(pathname))?.[1];
}
