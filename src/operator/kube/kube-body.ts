// Reads the body of an API server response: as text, line by line, as JSON, or as the error that it reports.

import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { apiError, type KubeApiError, KubeConnectionError } from './kube-errors.ts';
import type { KubeCall } from './kube-exchange.ts';
import { describePath } from './kube-objects.ts';

export async function failureOf(response: IncomingMessage): Promise<KubeApiError> {
  const header = response.headers['retry-after'];
  return apiError(response.statusCode ?? 0, await textOf(response), header);
}

export async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

/** Yields lines as they arrive. A chunk may end anywhere, even inside a character. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let begun: string[] = [];
  for await (const piece of response) {
    const [first = '', ...rest] = decoder.write(piece as Buffer).split('\n');
    begun.push(first);
    for (const next of rest) {
      yield begun.join('');
      begun = [next];
    }
  }
  if (begun.join('').trim() !== '') throw new KubeConnectionError('CUT_OFF', 'the watch was cut off inside an event');
}

// The error of JSON.parse quotes the text, which may be a Secret.
export function parseJson<T>(body: string, call: KubeCall): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    const { resource } = describePath(call.path);
    throw new KubeConnectionError('NOT_JSON', `${call.verb} ${resource}: the response of the API server is not JSON`);
  }
}
