// The catalogue of faults: what each does to a request, and on which routes it can occur.

import type { RemoteCode } from '../src/remote/meaning/response-codes.ts';

/** There are three routes between the migration and its servers, each with a separate proxy. */
export type Way = 'source' | 'write' | 'progress';

export const WAYS: readonly Way[] = ['source', 'write', 'progress'];

/** Responses that a proxy generates. */
export type ReplyName =
  | '202'
  | '301'
  | '404'
  | '408'
  | '429'
  | '429-retry-after'
  | '500'
  | '502'
  | '503'
  | '503-retry-after'
  | '504'
  | 'html'
  | 'gzip';

export type FaultAction =
  /** Nothing listens for some time, and every open connection is closed. */
  | { readonly do: 'stop-listening' }
  /** The connection is closed before any of the request is forwarded. */
  | { readonly do: 'reset' }
  /** Half of the request's body is forwarded, then both connections are closed. */
  | { readonly do: 'cut-request' }
  /** No response until the client gives up; the request is never forwarded. */
  | { readonly do: 'swallow' }
  /** The proxy's own response; nothing is forwarded. */
  | { readonly do: 'reply'; readonly reply: ReplyName }
  /** Forwarded a little later: concurrent requests arrive in another order. */
  | { readonly do: 'delay-request' }
  /** The connection is closed once the request was received, which is forwarded a moment later. */
  | { readonly do: 'commit-late' }
  /** Forwarded; then the proxy's own response instead of the server's. */
  | { readonly do: 'replace'; readonly reply: ReplyName }
  /** Forwarded; then no response. */
  | { readonly do: 'lose'; readonly how: 'fin' | 'rst' | 'time-out' }
  /** Forwarded twice. */
  | { readonly do: 'repeat'; readonly respondWith: 'first' | 'second' }
  /** The response comes later, still in time. */
  | { readonly do: 'delay-response' }
  /** The response stops inside the head or the body; `stall` leaves the connection open. */
  | { readonly do: 'cut-response'; readonly at: 'head' | 'middle' | 'border'; readonly how: 'rst' | 'fin' | 'stall' }
  /** The body is shortened, in a message that ends normally. */
  | { readonly do: 'truncate' }
  /** One byte per second for some seconds, then the rest. */
  | { readonly do: 'trickle' }
  /** One bit of the body is flipped, in a detectable way. */
  | { readonly do: 'flip'; readonly in: 'frames' | 'snappy' | 'json' }
  /** The server's response, gzip-compressed. */
  | { readonly do: 'compress' };

export interface FaultKind {
  readonly name: string;
  readonly ways: readonly Way[];
  readonly action: FaultAction;
  /**
   * Looks like a configuration error: a run may exit immediately because of it, with this code, as long as that side has never sent it a
   * good response.
   */
  readonly settingLike?: RemoteCode;
  /** Unavoidable duplicates in a store that keeps repeated samples. */
  readonly doublesIn?: 'victoria-metrics';
}

const READS: readonly Way[] = ['source', 'progress'];
const WRITES: readonly Way[] = ['write'];

const STATUSES: readonly ReplyName[] = ['408', '429', '429-retry-after', '500', '502', '503', '503-retry-after', '504'];
const SETTING_LIKE: readonly (readonly [reply: ReplyName, code: RemoteCode])[] = [
  ['301', 'redirected'],
  ['404', 'wrong-path'],
  ['html', 'wrong-content-type'],
];

/** The kind of a flipped bit by the format of the body: the plan cannot know the format of a response in advance. */
export function flipKindOf(format: string): FaultKind | undefined {
  return FAULT_KINDS.find(({ action }) => action.do === 'flip' && action.in === format);
}

export const FAULT_KINDS: readonly FaultKind[] = [
  { name: 'connection-refused', ways: WAYS, action: { do: 'stop-listening' } },
  { name: 'reset-before-request', ways: WAYS, action: { do: 'reset' } },
  { name: 'cut-in-request', ways: WAYS, action: { do: 'cut-request' } },
  { name: 'request-swallowed', ways: WAYS, action: { do: 'swallow' } },
  { name: 'request-delayed', ways: WAYS, action: { do: 'delay-request' } },
  { name: 'response-delayed', ways: WAYS, action: { do: 'delay-response' } },
  { name: 'cut-after-request', ways: READS, action: { do: 'lose', how: 'fin' } },
  { name: 'reset-after-request', ways: READS, action: { do: 'lose', how: 'rst' } },
  { name: 'response-too-late', ways: READS, action: { do: 'lose', how: 'time-out' } },
  { name: 'cut-in-response-head', ways: WAYS, action: { do: 'cut-response', at: 'head', how: 'rst' } },
  { name: 'cut-in-response', ways: READS, action: { do: 'cut-response', at: 'middle', how: 'rst' } },
  { name: 'closed-in-response', ways: READS, action: { do: 'cut-response', at: 'middle', how: 'fin' } },
  { name: 'cut-at-chunk-border', ways: READS, action: { do: 'cut-response', at: 'border', how: 'rst' } },
  { name: 'closed-at-chunk-border', ways: READS, action: { do: 'cut-response', at: 'border', how: 'fin' } },
  { name: 'stalled-in-response', ways: READS, action: { do: 'cut-response', at: 'middle', how: 'stall' } },
  { name: 'truncated-response', ways: READS, action: { do: 'truncate' } },
  { name: 'one-byte-a-second', ways: WAYS, action: { do: 'trickle' } },
  { name: 'flipped-bit-in-frame', ways: READS, action: { do: 'flip', in: 'frames' } },
  { name: 'flipped-bit-in-snappy', ways: READS, action: { do: 'flip', in: 'snappy' } },
  { name: 'flipped-bit-in-json', ways: ['progress'], action: { do: 'flip', in: 'json' } },
  { name: 'gzip-compressed', ways: READS, action: { do: 'compress' }, settingLike: 'compressed-response' },
  ...STATUSES.map((reply): FaultKind => ({ name: `${reply}-instead`, ways: WAYS, action: { do: 'reply', reply } })),
  ...SETTING_LIKE.map(
    ([reply, settingLike]): FaultKind => ({
      name: `${reply}-instead`,
      ways: WAYS,
      action: { do: 'reply', reply },
      settingLike,
    }),
  ),
  ...STATUSES.map((reply): FaultKind => ({ name: `stored-${reply}`, ways: WRITES, action: { do: 'replace', reply } })),
  ...[...SETTING_LIKE, ['gzip', 'compressed-response'] as const].map(
    ([reply, settingLike]): FaultKind => ({
      name: `stored-${reply}`,
      ways: WRITES,
      action: { do: 'replace', reply },
      settingLike,
    }),
  ),
  { name: 'stored-202', ways: WRITES, action: { do: 'replace', reply: '202' } },
  { name: 'stored-closed', ways: WRITES, action: { do: 'lose', how: 'fin' } },
  { name: 'stored-reset', ways: WRITES, action: { do: 'lose', how: 'rst' } },
  { name: 'stored-time-out', ways: WRITES, action: { do: 'lose', how: 'time-out' } },
  { name: 'stored-after-reset', ways: WRITES, action: { do: 'commit-late' } },
  {
    name: 'repeated-first-response',
    ways: WRITES,
    action: { do: 'repeat', respondWith: 'first' },
    doublesIn: 'victoria-metrics',
  },
  {
    name: 'repeated-second-response',
    ways: WRITES,
    action: { do: 'repeat', respondWith: 'second' },
    doublesIn: 'victoria-metrics',
  },
];
