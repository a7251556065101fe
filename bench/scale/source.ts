// A remote_read server with synthetic data of any time, as a stream of XOR chunks: so cheap that only its delay limits a reader.
//
//   node bench/scale/source.ts '{"seed":1,"series":20,"intervalMs":60000,"delayMs":20,"port":9201}'

import { decodeLabels } from '../../src/wire/labels.ts';
import { selects } from '../../test/migration/support/remote-messages.ts';
import { decodeRead } from '../../test/support/stores/messages.ts';
import { type DelayedServer, type DelayOptions, type Reply, startDelayedServer } from './delayed-server.ts';
import { SyntheticData, type SyntheticOptions } from './synthetic.ts';

const STREAM = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

export type SourceOptions = SyntheticOptions & DelayOptions;

export function startSource(options: SourceOptions): Promise<DelayedServer> {
  const data = new SyntheticData(options);
  return startDelayedServer(options, (path, body) => reply(data, path, body));
}

function reply(data: SyntheticData, path: string, body: Buffer): Reply {
  if (path !== '/api/v1/read') return { status: 404, body: `there is no ${path}` };
  const { startMs, endMs, matchers, streamed } = decodeRead(body);
  if (!streamed) return { status: 400, body: 'this source only has streamed responses' };
  const range = { fromMs: startMs, toMs: endMs + 1 };
  return {
    status: 200,
    contentType: STREAM,
    body: data.stream(range, (labels) => selects(matchers, decodeLabels(labels))),
  };
}

if (import.meta.main) await startSource(JSON.parse(process.argv[2] ?? '') as SourceOptions);
