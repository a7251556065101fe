// A relay in front of a real destination that reports each progress mark once the destination has stored it, before the migration receives
// the acknowledgement: a SIGKILL at this moment leaves a mark that no process has seen acknowledged.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { request } from '../../support/http.ts';

const { root } = protobuf.parse(
  `syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
  message Label { string name = 1; string value = 2; }
  message Sample { int64 timestamp = 2; }`,
  { keepCase: true },
);
const WriteRequest = root.lookupType('WriteRequest');

interface Series {
  labels: { name: string; value: string }[];
  samples: { timestamp: string }[];
}

export interface MarkRelay extends AsyncDisposable {
  readonly url: string;
}

/** @param onMark gets the time of a mark that was stored; true: its acknowledgement is never passed on */
export async function startMarkRelay(target: string, onMark: (timeMs: number) => boolean): Promise<MarkRelay> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const { host: _, connection: __, ...headers } = incoming.headers as Record<string, string>;
      const path = incoming.url ?? '/';
      const response = await request(`${target}${path}`, { method: incoming.method ?? 'GET', headers, body });
      const markMs = path.startsWith('/api/v1/write') ? markIn(body) : undefined;
      if (markMs !== undefined && response.status < 300 && onMark(markMs)) return;
      // VictoriaMetrics is recognized by the second one.
      const { 'content-type': type = 'text/plain', 'x-server-hostname': hostname } = response.headers;
      outgoing.writeHead(response.status, {
        'content-type': type,
        ...(hostname !== undefined && { 'x-server-hostname': hostname }),
      });
      outgoing.end(response.body);
    } catch (error) {
      outgoing.destroy(error instanceof Error ? error : undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The time of the mark in a write request, if any. */
function markIn(body: Buffer): number | undefined {
  const message = WriteRequest.decode(new Uint8Array(snappy.uncompress(body)));
  const { timeseries } = WriteRequest.toObject(message, { longs: String, arrays: true }) as { timeseries: Series[] };
  const mark = timeseries.find(({ labels }) => labels.some(({ value }) => value === 'prom_migrator_progress'));
  return mark?.samples[0] === undefined ? undefined : Number(mark.samples[0].timestamp);
}
