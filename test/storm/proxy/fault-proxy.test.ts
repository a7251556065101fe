// That the storm's proxy does what the catalogue says, fault by fault: a storm whose faults are not injected would prove nothing.

import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import snappy from 'snappyjs';
import { FAULT_KINDS, type FaultKind, type Way } from '../../../storm/fault-kinds.ts';
import { FaultProxy, type Moment } from '../../../storm/proxy/fault-proxy.ts';
import { encodeMessage, frame } from '../../wire/support/oracle.ts';
import {
  bodyOf,
  exchange,
  type RawExchange,
  type RecordingServer,
  type Reply,
  startRecordingServer,
  statusOf,
} from '../support/raw-exchange.ts';

const STALL_MS = 300;
const BODY = 'a body of some length';

const WRITTEN: Reply = { status: 204 };
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
const PLAIN: Reply = {
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

interface Seen {
  readonly first: RawExchange;
  /** The next request, which no fault was planned for. */
  readonly second: RawExchange;
  readonly server: RecordingServer;
  readonly injected: boolean;
  /** The proxy's record of the first request. */
  readonly stored: readonly number[];
}

interface Case {
  readonly reply: Reply;
  readonly way?: Way;
  readonly statuses?: readonly number[];
  readonly part?: number;
  readonly check: (seen: Seen) => void;
}

async function meet(kind: FaultKind, { reply, way, statuses, part = 0.5 }: Case): Promise<Seen> {
  await using server = await startRecordingServer(reply, statuses);
  await using proxy = await FaultProxy.start({
    way: way ?? kind.ways[0] ?? 'write',
    target: server.url,
    plan: [{ kind, from: 1, to: 1, part }],
    stallMs: STALL_MS,
    byteEveryMs: 50,
  });
  const first = await exchange(proxy.url, BODY, 2 * STALL_MS);
  if (kind.action.do === 'stop-listening') {
    const refused = await exchange(proxy.url, BODY, STALL_MS);
    assert.equal(refused.how, 'refused');
  }
  await proxy.idle();
  const second = await exchange(proxy.url, BODY, 2 * STALL_MS);
  const [seen] = proxy.seen;
  return { first, second, server, injected: seen?.fault === kind, stored: seen?.stored ?? [] };
}

function named(name: string): FaultKind {
  const kind = FAULT_KINDS.find((candidate) => candidate.name === name);
  assert.ok(kind !== undefined, name);
  return kind;
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

/** Whether a chunked body stops exactly behind the chunk of that frame. */
function endsWithFrame(body: Buffer, frames: number): boolean {
  const chunks = FRAMES.slice(0, frames).map((data) => `${data.length.toString(16)}\r\n${data.toString('latin1')}\r\n`);
  return body.toString('latin1') === chunks.join('');
}

function oneBitIn(seen: RawExchange, reply: Reply): void {
  const original = Buffer.from(reply.body ?? '');
  // A streamed body comes in one chunk.
  const body = bodyOf(seen);
  const data =
    body.length === original.length ? body : body.subarray(body.indexOf('\r\n') + 2).subarray(0, original.length);
  let bits = 0;
  for (const [i, byte] of original.entries()) {
    for (let differing = byte ^ (data[i] ?? 0); differing > 0; differing &= differing - 1) bits++;
  }
  assert.equal(bits, 1);
}

/** Statuses that the proxy makes up are all of one kind. */
function caseOf(kind: FaultKind): Case | undefined {
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

describe('the proxy of the storm', () => {
  for (const kind of FAULT_KINDS) {
    it(`injects ${kind.name}, once, and then forwards`, async () => {
      const given = caseOf(kind);
      assert.ok(given !== undefined, 'every kind of fault has a test');
      const seen = await meet(kind, given);
      assert.ok(seen.injected, 'it must be on record');
      given.check(seen);
      assert.equal(seen.second.how, 'whole');
      if (given.statuses === undefined) assert.equal(statusOf(seen.second), given.reply.status);
    });
  }

  it('has no record of a fault that has no place in the exchange', async () => {
    const text: Reply = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'OK' };
    const seen = await meet(named('flipped-bit-in-json'), { reply: text, check: () => {} });
    assert.equal(seen.injected, false);
    assert.deepEqual(bodyOf(seen.first).toString(), 'OK');
  });

  it('flips a bit in whatever the response is, and has it on record as that', async () => {
    await using server = await startRecordingServer(PLAIN);
    const plan = [{ kind: named('flipped-bit-in-json'), from: 1, to: 1, part: 0.5 }];
    await using proxy = await FaultProxy.start({ way: 'progress', target: server.url, plan, stallMs: STALL_MS });
    oneBitIn(await exchange(proxy.url, BODY, STALL_MS), PLAIN);
    assert.equal(proxy.seen[0]?.fault?.name, 'flipped-bit-in-snappy');
  });

  it('leaves a response without body alone that has to be cut inside', async () => {
    const seen = await meet(named('cut-in-response'), { reply: WRITTEN, check: () => {} });
    assert.equal(seen.injected, false);
    assert.equal(seen.first.how, 'whole');
  });

  it('reports each request when it comes and when it was carried out, counted anew in each run', async () => {
    await using server = await startRecordingServer(WRITTEN);
    const moments: [Way, number, Moment][] = [];
    await using proxy = await FaultProxy.start({
      way: 'write',
      target: server.url,
      plan: [],
      stallMs: STALL_MS,
      onMoment: (...moment) => moments.push(moment),
    });
    await exchange(proxy.url, BODY, STALL_MS);
    proxy.beginRun(2);
    assert.equal(proxy.hasRespondedWell, false);
    await exchange(proxy.url, BODY, STALL_MS);
    assert.equal(proxy.hasRespondedWell, true);
    assert.deepEqual(moments, [
      ['write', 1, 'arrived'],
      ['write', 1, 'carried-out'],
      ['write', 1, 'arrived'],
      ['write', 1, 'carried-out'],
    ]);
    assert.deepEqual(
      proxy.seen.map(({ request, run, goodBefore }) => [request, run, goodBefore]),
      [
        [1, 1, false],
        [2, 2, false],
      ],
    );
  });

  it('has a record of a client that was gone before its response', async () => {
    await using server = await startRecordingServer(WRITTEN);
    await using proxy = await FaultProxy.start({
      way: 'write',
      target: server.url,
      plan: [{ kind: named('connection-refused'), from: 2, to: 2, part: 0 }],
      stallMs: STALL_MS,
    });
    server.delayMs = 100;
    const cut = exchange(proxy.url, BODY, STALL_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await exchange(proxy.url, BODY, STALL_MS);
    assert.equal((await cut).how, 'reset', 'its connection is cut with the other one');
    await proxy.idle();
    assert.equal(server.bodies.length, 1);
    assert.deepEqual(
      proxy.seen.map(({ fault, undelivered, stored }) => [fault?.name, undelivered, stored]),
      [
        [undefined, true, [204]],
        ['connection-refused', false, []],
      ],
    );
    assert.ok((proxy.seen[0]?.lagMs ?? 0) > 90);
  });

  it('says when the server behind it is not there', async () => {
    const server = await startRecordingServer(WRITTEN);
    await server[Symbol.asyncDispose]();
    await using proxy = await FaultProxy.start({ way: 'write', target: server.url, plan: [], stallMs: STALL_MS });
    await exchange(proxy.url, BODY, STALL_MS);
    assert.match(proxy.seen[0]?.brokenBy ?? '', /ECONNREFUSED/);
  });
});
