// Errors of undici as node:http reports the same failures, so that one table classifies both.

/** A connection that ended too early. */
export function reset(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET' });
}

/** undici's codes begin with `UND_ERR_`. An error of the connection itself has its own code, or that of its cause. */
export function asNodeError(error: Error & { code?: unknown }): Error {
  // Its code is missing in some versions.
  if (error.name === 'HTTPParserError') return Object.assign(new Error(error.message), { code: 'HPE_INVALID' });
  switch (error.code) {
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_INFO':
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return reset(error.message);
    case 'UND_ERR_HEADERS_OVERFLOW':
      return Object.assign(new Error('the headers are too large'), { code: 'HPE_HEADER_OVERFLOW' });
    default:
      return error;
  }
}
