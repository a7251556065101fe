// A relay in front of a real remote write receiver that counts the windows in flight, and delays each request so that they overlap.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { request } from '../../support/http.ts';

const { root } = protobuf.parse(
  `syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { int64 timestamp = 2; }
  message Histogram { int64 timestamp = 15; }`,
  { keepCase: true },
);
const WriteRequest = root.lookupType('WriteRequest');

interface Series {
  labels: { name: string; value: string }[];
  samples: { timestamp: string }[];
  histograms: { timestamp: string }[];
}

export interface WriteProxy extends AsyncDisposable {
  /** The URL for remote write. */
  readonly url: string;
  windowsInFlight(): { most: number };
}

/** Relays remote write to the server. Windows are identified by number: all are `windowMs` long, the first starts at `startMs`. */
export async function startWriteProxy(
  destinationUrl: string,
  { startMs, windowMs }: { startMs: number; windowMs: number },
): Promise<WriteProxy> {
  const inFlight = new Map<number, number>();
  let most = 0;
  let requests = 0;
  const enter = (window: number) => {
    inFlight.set(window, (inFlight.get(window) ?? 0) + 1);
    most = Math.max(most, inFlight.size);
  };
  const leave = (window: number) => {
    const left = (inFlight.get(window) ?? 0) - 1;
    if (left > 0) inFlight.set(window, left);
    else inFlight.delete(window);
  };
  const server = createServer(async (incoming, outgoing) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const windows = windowsOf(body, startMs, windowMs);
      for (const window of windows) enter(window);
      // Unequal delays, so that the lanes are not in step.
      await sleep(20 + 25 * (requests++ % 4));
      const { host: _, connection: __, ...headers } = incoming.headers as Record<string, string>;
      const response = await request(`${destinationUrl}/api/v1/write`, { method: 'POST', headers, body });
      for (const window of windows) leave(window);
      outgoing.writeHead(response.status, { 'content-type': response.headers['content-type'] ?? 'text/plain' });
      outgoing.end(response.body);
    } catch (error) {
      outgoing.writeHead(502).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/api/v1/write`,
    windowsInFlight: () => ({ most }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The windows of the request's samples; marks belong to none. */
function windowsOf(body: Buffer, startMs: number, windowMs: number): ReadonlySet<number> {
  const message = WriteRequest.decode(new Uint8Array(snappy.uncompress(body)));
  const { timeseries } = WriteRequest.toObject(message, { longs: String, arrays: true }) as { timeseries: Series[] };
  const windows = new Set<number>();
  for (const { labels, samples, histograms } of timeseries) {
    if (labels.some(({ value }) => value === 'prom_migrator_progress')) continue;
    for (const { timestamp } of [...samples, ...histograms]) {
      windows.add(Math.floor((Number(timestamp) - startMs) / windowMs));
    }
  }
  return windows;
}
