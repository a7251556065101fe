// The failures between this process and a server, as one error type. `class` decides the reaction, `message` and `hint` are for the user.

import type { Side } from './side.ts';
import type { ResponseCode } from './response-code.ts';
import { RESPONSE_CODES, type RemoteCode } from './response-codes.ts';

export type ResponseClass =
  | 'transient' // the same request may succeed later: retry with a delay, without a limit
  | 'too-large' // request or send less at once
  | 'rejected' // the destination rejects samples, not the request: bisect and count
  | 'refused' // a retry cannot help: a configuration change is required
  | 'unsupported' // the server does not know this kind of message or response: fall back to another one
  | 'ambiguous' // a 400 that a Cortex-like source uses for any failure: retry a few times, then halve, then fail
  | 'aborted'; // this process gave up on the request itself

/** Why a destination rejected samples, in the words of the metrics and of the summary. */
export type RejectReason =
  | 'out_of_order'
  | 'too_old'
  | 'too_far_in_future'
  | 'duplicate_timestamp'
  | 'invalid_labels'
  | 'invalid_sample'
  | 'histograms_disabled'
  | 'histograms_dropped'
  | 'ha_tracker'
  | 'other';

export interface RemoteErrorDetails {
  readonly class: ResponseClass;
  readonly code: RemoteCode;
  readonly side: Side;
  /** What happened, without the side: `returned 400: out of order sample`. */
  readonly what: string;
  readonly status?: number | undefined;
  readonly hint?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly reason?: RejectReason | undefined;
}

/**
 * Has no `cause`: the HTTP client's own errors hold the request's options with credentials, and code that inspects or logs an error prints
 * its causes too.
 */
export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly class: ResponseClass;
  /** Stable, kebab-case, listed in response-codes.ts. */
  readonly code: RemoteCode;
  readonly side: Side;
  readonly status: number | undefined;
  readonly hint: string | undefined;
  /** Milliseconds from the response on, as the server requested. At most five minutes. */
  readonly retryAfterMs: number | undefined;
  /** Only with class `rejected`. */
  readonly reason: RejectReason | undefined;

  constructor(details: RemoteErrorDetails) {
    super(`${details.side} ${details.what}`);
    this.class = details.class;
    this.code = details.code;
    this.side = details.side;
    this.status = details.status;
    this.hint = details.hint;
    this.retryAfterMs = details.retryAfterMs;
    this.reason = details.reason;
  }

  /** The catalogue's entry for this code. */
  get traits(): ResponseCode {
    return RESPONSE_CODES[this.code];
  }
}

const EXCERPT_CHARS = 512;

/**
 * A server's text, made safe for a message: one line, printable, without HTML, the query values and userinfo of every URL masked, at most
 * 512 characters.
 */
export function excerpt(text: string): string {
  // Cutting before the replacements keeps them cheap, whatever the server sent.
  let line = text.slice(0, 16 * 1024);
  if (/<(?:!doctype|html|head|body|title|center|h1)\b/i.test(line)) line = textOfHtml(line);
  line = line
    .replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi, '$1***@')
    .replaceAll(/([?&][\w.[\]%-]+=)[^\s&"'<>#]+/g, '$1***')
    .replaceAll(/[\p{C}\p{Z}\ufffd\s]+/gu, ' ')
    .trim();
  return line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

function textOfHtml(html: string): string {
  return html
    .replaceAll(/<(script|style|svg)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replaceAll(/<!--[\s\S]*?(?:-->|$)/g, ' ')
    .replaceAll(/<[^>]*(?:>|$)/g, ' ')
    .replaceAll(/&(amp|lt|gt|quot|nbsp|#39);/g, (_, name: string) => HTML_ENTITIES[name] ?? ' ');
}

const HTML_ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', '#39': "'" };
