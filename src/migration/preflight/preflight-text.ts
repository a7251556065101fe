// Findings as text: for the log, for conditions and for events. Pure.

import type { Finding, Unjudged } from './preflight-result.ts';

/** `receiver-off (destination): has …; needs …; do: …` */
export function findingText({ code, side, has, needs, setting, cure }: Finding): string {
  const name = side === undefined ? code : `${code} (${side})`;
  const change = setting === undefined || cure.includes(setting) ? cure : `${cure} (${setting})`;
  return `${name}: has ${has}; needs ${needs}; do: ${change}`;
}

export function unjudgedText({ side, code, message, hint }: Unjudged): string {
  return `the ${side} could not be looked at: ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}
