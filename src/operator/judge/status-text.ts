// Prepares texts of servers and of the engine for a status and an event. Pure.

import { escapeControl, presentableText } from '../../telemetry/log-text.ts';

const MAX_LENGTH = 512;

/** A text of a server or of the engine as a status or an event may show it: printable, without secrets, at most 512 characters. */
export function statusText(text: string): string {
  const shown = escapeControl(presentableText(text));
  return shown.length <= MAX_LENGTH ? shown : `${shown.slice(0, MAX_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
