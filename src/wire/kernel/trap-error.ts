import { WireError } from '../errors.ts';

/** A trap would be a defect of the kernel. It must not look like an error of the caller. */
export function trapError(error: unknown): unknown {
  if (!(error instanceof WebAssembly.RuntimeError)) return error;
  return new WireError('corrupt', `the kernel cannot process these bytes: ${error.message}`, { cause: error });
}
