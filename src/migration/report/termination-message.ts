// The termination message of a pod of a Job: how `run` reports to Kubernetes why it has failed, and what the operator reads. Pure.

import { presentableText, printableJson } from '../../telemetry/log-text.ts';

/** Kubernetes keeps no more of a termination message. */
export const MAX_TERMINATION_BYTES = 4096;
/** What the user can do must not be lost behind a long message. */
const MAX_HINT_BYTES = 1024;
const MAX_CODE_BYTES = 128;

export interface TerminationMessage {
  /** One of docs/errors.md, or `interrupted`. */
  readonly code: string;
  readonly side?: string;
  readonly message?: string;
  readonly hint?: string;
}

/** Of a run that a signal has ended. */
export const INTERRUPTED: TerminationMessage = { code: 'interrupted' };

/** The message as JSON. Text that is too long is cut, and URLs lose their secrets. */
export function terminationText({ code, side, message = '', hint = '' }: TerminationMessage): string {
  const start: TerminationMessage = {
    code: cut(code, MAX_CODE_BYTES),
    ...(side !== undefined && { side: cut(side, MAX_CODE_BYTES) }),
  };
  const shownHint = cut(presentableText(hint), MAX_HINT_BYTES);
  const end = { ...(shownHint !== '' && { hint: shownHint }) };
  const freeBytes = MAX_TERMINATION_BYTES - bytesOf(printableJson({ ...start, message: '', ...end }));
  const shownMessage = cut(presentableText(message), freeBytes);
  return printableJson({ ...start, ...(shownMessage !== '' && { message: shownMessage }), ...end });
}

/** Undefined if the text is not one that `terminationText` has made: for example the last lines of a log, or nothing. */
export function parseTerminationText(text: string): TerminationMessage | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null || !('code' in content)) return undefined;
  const { code, side, message, hint } = content as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || code === '') return undefined;
  return {
    code,
    ...(typeof side === 'string' && { side }),
    ...(typeof message === 'string' && { message }),
    ...(typeof hint === 'string' && { hint }),
  };
}

/** The beginning of the text, so that it takes at most that many bytes inside a JSON string. */
function cut(text: string, maxBytes: number): string {
  if (bytesOf(printableJson(text)) - 2 <= maxBytes) return text;
  const ellipsis = '…';
  let leftBytes = maxBytes - bytesOf(ellipsis);
  let kept = '';
  // By code points: half of a surrogate pair is not valid UTF-8.
  for (const character of text) {
    leftBytes -= bytesOf(printableJson(character)) - 2;
    if (leftBytes < 0) break;
    kept += character;
  }
  return kept + ellipsis;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
