// An end of a migration that could not be asked what it is. command-line.ts turns it into exit code 1.

export class EndError extends Error {
  override readonly name = 'EndError';
}
