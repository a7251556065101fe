// Injects one fault into one request.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { FaultAction } from '../fault-kinds.ts';
import { flipBit, truncate } from './damage.ts';
import { forward, forwardHalf, type Received } from './forward.ts';
import {
  type BodyFormat,
  cutWire,
  formatOf,
  forwardedHeaders,
  headerOf,
  type Message,
  toWire,
  withoutBody,
} from './http-message.ts';
import { replyOf } from './replies.ts';

export interface Injection {
  readonly action: FaultAction;
  /** In [0, 1): where a response is cut, or how long something takes. */
  readonly part: number;
  readonly target: string;
  readonly received: Received;
  readonly response: ServerResponse;
  /** Longer than the client's timeout. */
  readonly stallMs: number;
  /** For slow responses. */
  readonly byteEveryMs: number;
  /** Called each time the server has carried out the request. */
  readonly carriedOut: (status: number) => void;
}

export interface Outcome {
  /** False: the fault does not apply to this exchange, which was forwarded unchanged. */
  readonly injected: boolean;
  /** The client got the server's own good response. */
  readonly good: boolean;
  /** The format of the damaged body. */
  readonly damaged?: BodyFormat;
}

const SPOILT: Outcome = { injected: true, good: false };

/** Forwards the request and the response unchanged. */
export async function passOn(injection: Omit<Injection, 'action' | 'part'>): Promise<boolean> {
  const message = await carryOut(injection);
  return deliver(injection.response, message);
}

export async function inject(injection: Injection): Promise<Outcome> {
  const { action, part, response, received, target } = injection;
  switch (action.do) {
    case 'stop-listening':
    case 'reset':
      response.socket?.resetAndDestroy();
      return SPOILT;
    case 'cut-request':
      await forwardHalf(target, received);
      response.socket?.resetAndDestroy();
      return SPOILT;
    case 'swallow':
      await stall(injection);
      return SPOILT;
    case 'reply':
      deliver(response, replyOf(action.reply, Date.now()));
      return SPOILT;
    case 'delay-request':
      await sleep(30 + part * 270);
      return { injected: true, good: deliver(response, await carryOut(injection)) };
    case 'commit-late':
      response.socket?.resetAndDestroy();
      await sleep(20 + part * 130);
      await carryOut(injection);
      return SPOILT;
    default:
      return injectAfterwards(action, injection, await carryOut(injection));
  }
}

/** The faults of a response. */
type LateAction = Extract<
  FaultAction,
  {
    readonly do:
      | 'replace'
      | 'lose'
      | 'repeat'
      | 'delay-response'
      | 'cut-response'
      | 'truncate'
      | 'trickle'
      | 'flip'
      | 'compress';
  }
>;

async function injectAfterwards(action: LateAction, injection: Injection, message: Message): Promise<Outcome> {
  const { response, part } = injection;
  switch (action.do) {
    case 'replace':
      deliver(response, replyOf(action.reply, Date.now()));
      return SPOILT;
    case 'lose':
      if (action.how === 'time-out') await stall(injection);
      else if (action.how === 'rst') response.socket?.resetAndDestroy();
      else response.socket?.end();
      return SPOILT;
    case 'repeat': {
      const second = await carryOut(injection);
      return { injected: true, good: deliver(response, action.respondWith === 'first' ? message : second) };
    }
    case 'delay-response':
      await sleep(100 + part * 800);
      return { injected: true, good: deliver(response, message) };
    case 'trickle':
      await trickle(injection, message);
      return SPOILT;
    case 'cut-response':
      return (await cutResponse(action, injection, message)) ? SPOILT : passed(response, message);
    default: {
      const changed = changedMessage(action, message, part);
      if (changed === undefined) return passed(response, message);
      deliver(response, changed);
      return { ...SPOILT, damaged: formatOf(message) };
    }
  }
}

function passed(response: ServerResponse, message: Message): Outcome {
  return { injected: false, good: deliver(response, message) };
}

function changedMessage(
  action: Extract<FaultAction, { do: 'truncate' | 'flip' | 'compress' }>,
  message: Message,
  part: number,
): Message | undefined {
  const { body, rawHeaders } = message;
  if (body.length === 0 || message.status >= 300) return undefined;
  const format = formatOf(message);
  switch (action.do) {
    case 'truncate': {
      const cut = truncate(body, format, part);
      return cut && { ...message, body: cut };
    }
    case 'flip': {
      const flipped = format === 'other' ? undefined : flipBit(body, format, part);
      return flipped && { ...message, body: flipped };
    }
    case 'compress':
      // Real proxies do not compress a compressed body either.
      if (headerOf(rawHeaders, 'content-encoding') !== undefined) return undefined;
      return { ...message, rawHeaders: [...rawHeaders, 'content-encoding', 'gzip'], body: gzipSync(body) };
  }
}

async function carryOut({ target, received, carriedOut }: Omit<Injection, 'action' | 'part'>): Promise<Message> {
  const message = await forward(target, received);
  carriedOut(message.status);
  return message;
}

/** @returns whether a good response could still be delivered */
function deliver(response: ServerResponse, message: Message): boolean {
  if (response.destroyed || response.socket?.destroyed !== false) return false;
  const { status, rawHeaders, body } = message;
  for (const [name, value] of forwardedHeaders(rawHeaders)) response.appendHeader(name, value);
  response.statusCode = status;
  // Without a length, Node sends it in chunks.
  if (!withoutBody(status) && formatOf(message) !== 'frames') response.setHeader('content-length', body.length);
  response.end(withoutBody(status) ? undefined : body);
  return status >= 200 && status < 300;
}

/** Sends nothing more until the client disconnects. */
async function stall({ response, stallMs }: Injection): Promise<void> {
  const closed = response.destroyed ? undefined : once(response, 'close').catch(() => undefined);
  await Promise.race([sleep(stallMs, undefined, { ref: false }), closed]);
  response.socket?.destroy();
}

async function cutResponse(
  { at, how }: Extract<FaultAction, { do: 'cut-response' }>,
  injection: Injection,
  message: Message,
): Promise<boolean> {
  const bytes = cutWire(toWire(message), at, injection.part);
  const { socket } = injection.response;
  if (bytes === undefined || socket === null) return false;
  await new Promise((done) => socket.write(bytes, done));
  if (how === 'stall') await stall(injection);
  else if (how === 'fin') socket.end();
  else {
    // A reset discards data that the other side has not read yet.
    await sleep(20);
    socket.resetAndDestroy();
  }
  return true;
}

const TRICKLED_BYTES = 3;

/** The slow bytes are those of the body, or of the head when there is no body. */
async function trickle({ response, byteEveryMs }: Injection, message: Message): Promise<void> {
  const { head, pieces, end } = toWire(message);
  const body = Buffer.concat([...pieces, end]);
  const [atOnce, slow] = body.length === 0 ? [Buffer.alloc(0), head] : [head, body];
  const { socket } = response;
  if (socket === null) return;
  socket.write(atOnce);
  for (let byte = 0; byte < TRICKLED_BYTES && !socket.destroyed; byte++) {
    socket.write(slow.subarray(byte, byte + 1));
    await sleep(byteEveryMs);
  }
  socket.end(slow.subarray(TRICKLED_BYTES));
}
