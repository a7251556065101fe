// Faults that replace the normal handling of one request to a fake store.

import type { ServerResponse } from 'node:http';

export interface StoreResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export type Fault =
  /** This response; with `commits` only after the request was carried out, like a proxy that replaces the acknowledgement. */
  | (StoreResponse & { readonly commits?: boolean })
  /** The normal response with other bytes. */
  | { readonly damage: (body: Buffer) => Uint8Array }
  /** The connection is closed after this many bytes of the normal response's body. */
  | { readonly cutAfterBytes: number }
  /** The connection is closed without a response, before or after the request was carried out. */
  | { readonly disconnects: 'before commit' | 'after commit' }
  /** A proxy sends the request twice; the second response counts. */
  | { readonly repeats: true }
  /** The normal response after this delay. */
  | { readonly delayMs: number }
  /** No response at all; the request is not carried out. */
  | 'silence';

/** @param carryOut carries out the request */
export async function respond(
  response: ServerResponse,
  fault: Fault | undefined,
  carryOut: () => Promise<StoreResponse>,
): Promise<number | undefined> {
  if (fault === 'silence') return undefined;
  if (fault !== undefined && 'disconnects' in fault) {
    if (fault.disconnects === 'after commit') await carryOut();
    response.destroy();
    return undefined;
  }
  if (fault !== undefined && 'status' in fault) {
    if (fault.commits === true) await carryOut();
    return send(response, fault);
  }
  if (fault !== undefined && 'repeats' in fault) await carryOut();
  if (fault !== undefined && 'delayMs' in fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  const proper = await carryOut();
  if (fault !== undefined && 'damage' in fault) {
    return send(response, { ...proper, body: fault.damage(Buffer.from(proper.body ?? '')) });
  }
  if (fault !== undefined && 'cutAfterBytes' in fault) {
    response.writeHead(proper.status, proper.headers);
    response.write(Buffer.from(proper.body ?? '').subarray(0, fault.cutAfterBytes), () => response.destroy());
    return proper.status;
  }
  return send(response, proper);
}

function send(response: ServerResponse, { status, headers, body }: StoreResponse): number {
  response.writeHead(status, { ...(typeof body === 'string' && { 'content-type': 'text/plain' }), ...headers });
  response.end(body ?? '');
  return status;
}
