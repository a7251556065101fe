// What can be wrong with bytes that came from a server. Thrown by the decoders of this room, turned into a retry, a split or a
// failure by migration/.

export type WireErrorCode =
  | 'truncated' // the bytes end inside a value
  | 'corrupt' // checksum, tag, length or chunk that cannot be
  | 'too-large' // a declared length is over the limit that the caller gave
  | 'invalid-labels' // well-formed bytes, but a label set that no store takes
  | 'unknown-encoding' // a chunk encoding that this version cannot decode
  | 'server-error-text'; // a server's plain error text stands where a frame should

export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
