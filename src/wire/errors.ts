// What can be wrong with bytes that a server sent.

export type WireErrorCode =
  | 'truncated' // the bytes end inside a value
  | 'corrupt' // a checksum, tag, length or chunk that is not possible
  | 'too-large' // a declared length is over the limit that the caller set
  | 'invalid-labels' // well-formed bytes, but a label set that no store accepts
  | 'unknown-encoding' // a chunk encoding that this version cannot decode
  | 'server-error-text'; // a server's plain error text in the place of a frame

export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
