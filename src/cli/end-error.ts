// An end of a migration that could not be asked what it is. command-line.ts turns it into exit code 1.

interface EndErrorDetails {
  /** One of docs/errors.md. */
  readonly code: string;
  readonly side?: 'source' | 'destination';
}

export class EndError extends Error {
  override readonly name = 'EndError';
  readonly code: string;
  readonly side: 'source' | 'destination' | undefined;

  constructor(message: string, { code, side }: EndErrorDetails) {
    super(message);
    this.code = code;
    this.side = side;
  }
}
