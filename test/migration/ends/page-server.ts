// A server that has a few pages, as much of a store as `init` and `run --source` look at.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A text is sent with 200, an object as the data of a response with 200, a number is a status. */
type Page = string | number | object;

export interface Pages {
  readonly headers?: Readonly<Record<string, string>>;
  readonly pages: Readonly<Record<string, Page | (() => Page)>>;
  readonly others?: number;
}

export const BUILDINFO = '/api/v1/status/buildinfo';
export const PROMETHEUS: Pages = {
  pages: {
    [BUILDINFO]: { version: '3.5.0', revision: 'abc' },
    '/api/v1/status/flags': { 'storage.tsdb.min-block-duration': '2h', 'web.enable-remote-write-receiver': 'false' },
    '/api/v1/status/config': { yaml: 'storage:\n  tsdb:\n    out_of_order_time_window: 30m\n' },
    '/metrics': '# TYPE x gauge\nprometheus_tsdb_lowest_timestamp_seconds 1.7e+09\n',
  },
};
export const M3: Pages = { pages: { '/api/v1/prom/remote/write': 405, '/api/v1/prom/remote/read': 400 } };
export function victoriaMetrics(flags: string): Pages {
  return { headers: { 'x-server-hostname': 'vm' }, pages: { [BUILDINFO]: { version: '2.24.0' }, '/flags': flags } };
}

/** These statuses first, one for each request, and then the page. */
export function busy(statuses: readonly number[], page: Page): () => Page {
  let requests = 0;
  return () => statuses[requests++] ?? page;
}

export async function servePages({ headers = {}, pages, others = 404 }: Pages) {
  const server = createServer((request, response) => {
    const found = pages[request.url ?? ''] ?? pages[request.url?.split('?')[0] ?? ''] ?? others;
    const page: Page = typeof found === 'function' ? found() : found;
    const status = typeof page === 'number' ? page : 200;
    response.writeHead(status, headers);
    response.end(typeof page === 'object' ? JSON.stringify({ status: 'success', data: page }) : String(page));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
