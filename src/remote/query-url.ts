// The URLs and time parameters of a query API. Pure.

const API_PATHS = {
  query: 'api/v1/query',
  export: 'api/v1/export',
  export_native: 'api/v1/export/native',
  series: 'api/v1/series',
  force_flush: 'internal/force_flush',
  walreplay: 'api/v1/status/walreplay',
  flags: 'flags',
} as const;

export type Api = keyof typeof API_PATHS;

/** `<base>/api/v1/<api>`, or the other place of the API, whether or not the base already ends there. The base's query string stays. */
export function apiUrl(base: URL, api: Api): URL {
  const url = new URL(base);
  const prefix = url.pathname
    .replace(/\/+$/, '')
    .replace(/\/api\/v1(?:\/(?:query|query_range|export|export\/native))?$/, '');
  // vmselect has its flags beside the paths of its tenants.
  const root = api === 'flags' ? prefix.replace(/\/select\/[^/]+\/prometheus$/, '') : prefix;
  url.pathname = `${root}/${API_PATHS[api]}`;
  url.hash = '';
  return url;
}

/** The API takes seconds. Three decimals keep the milliseconds. */
export function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Spaces are written as %20. Written as +, they would be literal plus signs for a signature of AWS. */
export function queryString(parameters: [string, string][]): string {
  return new URLSearchParams(parameters).toString().replaceAll('+', '%20');
}
