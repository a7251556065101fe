// A remote_write receiver that keeps no samples, only a hash of them and the progress marks, which it returns to remote_read: so cheap that
// only its delay limits a writer.
//
//   node bench/scale/sink.ts '{"delayMs":20,"port":9202}'

import { decodeRead, encodeSamplesResponse } from '../../test/support/stores/messages.ts';
import { type DelayedServer, type DelayOptions, type Reply, startDelayedServer } from './delayed-server.ts';
import { Receiver } from './receiver.ts';

/** The response to GET /hash. */
export interface Received {
  readonly hash: string;
  readonly samples: number;
  /** Samples of the progress series, its counts included. */
  readonly marks: number;
  readonly writes: number;
  readonly reads: number;
  /** While the middle half of the samples arrived: no process was still starting, and none had finished. */
  readonly middleHalfMs: number;
}

/** How many samples had arrived at a time. */
export interface Arrival {
  readonly atMs: number;
  readonly samples: number;
}

/** How long it took until three quarters of the samples had arrived, from when one quarter had. */
export function middleHalfMs(arrivals: readonly Arrival[]): number {
  const total = arrivals.at(-1)?.samples ?? 0;
  const reached = (part: number) => arrivals.find(({ samples }) => samples >= total * part)?.atMs ?? 0;
  return reached(0.75) - reached(0.25);
}

export function startSink(options: DelayOptions): Promise<DelayedServer> {
  const receiver = new Receiver();
  const counts = { writes: 0, reads: 0 };
  const arrivals: Arrival[] = [];
  const handle = (path: string, body: Buffer): Reply => {
    if (path === '/api/v1/write') {
      counts.writes++;
      receiver.write(body);
      arrivals.push({ atMs: performance.now(), samples: receiver.hash.samples });
      return { status: 204 };
    }
    if (path === '/api/v1/read') {
      counts.reads++;
      const marks = receiver.read(decodeRead(body));
      const response = encodeSamplesResponse(marks);
      return { status: 200, contentType: 'application/x-protobuf', contentEncoding: 'snappy', body: response };
    }
    if (path !== '/hash') return { status: 404, body: `there is no ${path}` };
    const { hash, marks } = receiver;
    const received: Received = {
      hash: hash.digest(),
      samples: hash.samples,
      marks,
      ...counts,
      middleHalfMs: middleHalfMs(arrivals),
    };
    return { status: 200, contentType: 'application/json', body: JSON.stringify(received) };
  };
  return startDelayedServer(options, handle);
}

if (import.meta.main) await startSink(JSON.parse(process.argv[2] ?? '') as DelayOptions);
