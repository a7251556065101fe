// For each fault of the catalogue: the exchange to inject it into, and its visible effects on both sides.

import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import snappy from 'snappyjs';
import type { FaultKind, Way } from '../../../storm/fault-kinds.ts';
import { encodeMessage, frame } from '../../wire/support/oracle.ts';
import { bodyOf, type RawExchange, type RecordingServer, type Reply, statusOf } from './raw-exchange.ts';

export const STALL_MS = 300;
/** Every exchange ends before, however busy the machine is. */
export const PATIENCE_MS = 10_000;
export const BODY = 'a body of some length';

export const WRITTEN: Reply = { status: 204 };
const JSON_RESULT: Reply = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"status":"success","data":{"resultType":"vector","result":[]}}',
};
const response = (samples: number) =>
  encodeMessage('ReadResponse', {
    results: [
      {
        timeseries: [
          {
            labels: [{ name: '__name__', value: 'up' }],
            samples: Array.from({ length: samples }, (_, i) => ({ value: i, timestamp: i })),
          },
        ],
      },
    ],
  });
export const PLAIN: Reply = {
  status: 200,
  headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
  body: Buffer.from(snappy.compress(response(20))),
};
const FRAMES = [1, 2, 3].map((queryIndex) => Buffer.from(frame(encodeMessage('ChunkedReadResponse', { queryIndex }))));
const STREAMED: Reply = {
  status: 200,
  headers: { 'content-type': 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse' },
  body: Buffer.concat(FRAMES),
};

export interface Seen {
  readonly first: RawExchange;
  /** The next request, without a planned fault. */
  readonly second: RawExchange;
  readonly server: RecordingServer;
  readonly injected: boolean;
  /** The proxy's record of the first request. */
  readonly stored: readonly number[];
}

export interface Case {
  readonly reply: Reply;
  readonly way?: Way;
  readonly statuses?: readonly number[];
  readonly part?: number;
  readonly check: (seen: Seen) => void;
}

const arrivedTimes = (seen: Seen) => seen.server.bodies.length - 1;

const nothingStored =
  (how: RawExchange['how'], check: (seen: Seen) => void = () => {}) =>
  (seen: Seen) => {
    assert.equal(arrivedTimes(seen), 0, 'the server must not have got it');
    assert.equal(seen.first.how, how);
    check(seen);
  };
const storedBut =
  (how: RawExchange['how'], check: (seen: Seen) => void = () => {}) =>
  (seen: Seen) => {
    assert.equal(arrivedTimes(seen), 1, 'the server must have got it once');
    assert.equal(seen.server.bodies[0], BODY);
    assert.equal(seen.first.how, how);
    check(seen);
  };
const noByte = ({ first }: Seen) => assert.equal(first.bytes.length, 0);
const responded = (status: number) => (seen: Seen) => assert.equal(statusOf(seen.first), status);
const headText = ({ first }: Seen) => first.bytes.toString('latin1').split('\r\n\r\n')[0] ?? '';

const CASES: Readonly<Record<string, Case>> = {
  'connection-refused': { reply: WRITTEN, check: nothingStored('reset', noByte) },
  'reset-before-request': { reply: WRITTEN, check: nothingStored('reset', noByte) },
  'cut-in-request': {
    reply: WRITTEN,
    check: nothingStored('reset', ({ server }) => assert.ok(server.broken > 0, 'half of it must have come')),
  },
  'request-swallowed': { reply: WRITTEN, check: nothingStored('end', noByte) },
  'request-delayed': { reply: WRITTEN, check: storedBut('whole', ({ first }) => assert.ok(first.milliseconds > 100)) },
  'response-delayed': {
    reply: WRITTEN,
    part: 0,
    check: storedBut('whole', ({ first }) => assert.ok(first.milliseconds > 90)),
  },
  'cut-after-request': { reply: JSON_RESULT, check: storedBut('end', noByte) },
  'reset-after-request': { reply: JSON_RESULT, check: storedBut('reset', noByte) },
  'response-too-late': { reply: JSON_RESULT, check: storedBut('end', noByte) },
  'cut-in-response-head': {
    reply: WRITTEN,
    check: storedBut('reset', ({ first }) => {
      assert.ok(first.bytes.length > 0);
      assert.ok(!first.bytes.includes('\r\n\r\n'));
    }),
  },
  'cut-in-response': { reply: JSON_RESULT, check: storedBut('reset', (seen) => cutInside(seen)) },
  'closed-in-response': { reply: STREAMED, check: storedBut('end', (seen) => cutInside(seen)) },
  'cut-at-chunk-border': {
    reply: STREAMED,
    check: storedBut('reset', ({ first }) => assert.ok(endsWithFrame(bodyOf(first), 2))),
  },
  'closed-at-chunk-border': {
    reply: STREAMED,
    part: 0.999,
    check: storedBut('end', ({ first }) =>
      assert.ok(endsWithFrame(bodyOf(first), 3), 'only the last chunk is missing'),
    ),
  },
  'stalled-in-response': {
    reply: STREAMED,
    check: storedBut('end', (seen) => {
      cutInside(seen);
      assert.ok(seen.first.milliseconds > STALL_MS - 50);
    }),
  },
  'truncated-response': {
    reply: PLAIN,
    check: storedBut('whole', ({ first }) => {
      assert.ok(bodyOf(first).length < (PLAIN.body?.length ?? 0));
      assert.throws(() => snappy.uncompress(bodyOf(first)));
    }),
  },
  'one-byte-a-second': {
    reply: JSON_RESULT,
    check: storedBut('whole', ({ first }) => assert.ok(first.milliseconds > 140)),
  },
  'flipped-bit-in-frame': { reply: STREAMED, check: storedBut('whole', ({ first }) => oneBitIn(first, STREAMED)) },
  'flipped-bit-in-snappy': { reply: PLAIN, check: storedBut('whole', ({ first }) => oneBitIn(first, PLAIN)) },
  'flipped-bit-in-json': {
    reply: JSON_RESULT,
    check: storedBut('whole', ({ first }) => {
      oneBitIn(first, JSON_RESULT);
      assert.throws(() => JSON.parse(bodyOf(first).toString()));
    }),
  },
  'gzip-compressed': {
    reply: JSON_RESULT,
    check: storedBut('whole', (seen) => {
      assert.match(headText(seen), /content-encoding: gzip/);
      assert.equal(gunzipSync(bodyOf(seen.first)).toString(), JSON_RESULT.body);
    }),
  },
  'stored-202': { reply: WRITTEN, check: storedBut('whole', responded(202)) },
  'stored-gzip': {
    reply: WRITTEN,
    check: storedBut('whole', (seen) => assert.match(headText(seen), /content-encoding: gzip/)),
  },
  'stored-html': {
    reply: WRITTEN,
    check: storedBut('whole', (seen) => assert.match(headText(seen), /200[\s\S]*html/)),
  },
  'html-instead': {
    reply: WRITTEN,
    check: nothingStored('whole', (seen) => assert.match(headText(seen), /200[\s\S]*html/)),
  },
  'stored-closed': { reply: WRITTEN, check: storedBut('end', noByte) },
  'stored-reset': { reply: WRITTEN, check: storedBut('reset', noByte) },
  'stored-time-out': { reply: WRITTEN, check: storedBut('end', noByte) },
  'stored-after-reset': { reply: WRITTEN, check: storedBut('reset', noByte) },
  'repeated-first-response': {
    reply: WRITTEN,
    statuses: [204, 400],
    check: (seen) => {
      assert.equal(arrivedTimes(seen), 2);
      assert.equal(statusOf(seen.first), 204);
    },
  },
  'repeated-second-response': {
    reply: WRITTEN,
    statuses: [204, 400],
    check: (seen) => {
      assert.equal(arrivedTimes(seen), 2);
      assert.equal(statusOf(seen.first), 400);
      assert.deepEqual(seen.stored, [204, 400]);
    },
  },
};

function cutInside({ first }: Seen): void {
  const body = bodyOf(first);
  assert.ok(body.length > 0, 'the body must have begun');
  assert.ok(!body.toString('latin1').endsWith('0\r\n\r\n'), 'the body must not have ended');
}

/** Whether a chunked body stops exactly after the chunk of this frame. */
function endsWithFrame(body: Buffer, frames: number): boolean {
  const chunks = FRAMES.slice(0, frames).map((data) => `${data.length.toString(16)}\r\n${data.toString('latin1')}\r\n`);
  return body.toString('latin1') === chunks.join('');
}

export function oneBitIn(seen: RawExchange, reply: Reply): void {
  const original = Buffer.from(reply.body ?? '');
  // A streamed body is sent in one chunk.
  const body = bodyOf(seen);
  const data =
    body.length === original.length ? body : body.subarray(body.indexOf('\r\n') + 2).subarray(0, original.length);
  let bits = 0;
  for (const [i, byte] of original.entries()) {
    for (let differing = byte ^ (data[i] ?? 0); differing > 0; differing &= differing - 1) bits++;
  }
  assert.equal(bits, 1);
}

/** All statuses that the proxy makes up share one case. */
export function caseOf(kind: FaultKind): Case | undefined {
  const given = CASES[kind.name];
  if (given !== undefined) return given;
  const status = Number.parseInt(kind.name.replace('stored-', ''), 10);
  if (Number.isNaN(status)) return undefined;
  const check = (seen: Seen) => {
    responded(status)(seen);
    if (kind.name.includes('retry-after')) assert.match(headText(seen), /retry-after: \S/);
    if (status === 301) assert.match(headText(seen), /location: https:/);
  };
  return {
    reply: WRITTEN,
    way: 'write',
    check: kind.name.startsWith('stored-') ? storedBut('whole', check) : nothingStored('whole', check),
  };
}
