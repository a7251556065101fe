// What sources whose series arrive decoded are opened with.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import type { MigrationObserver } from '../report/observer.ts';

export interface DecodedSourceOptions {
  readonly endpoint: Endpoint;
  readonly client: ClientContext;
  /** The memory that one series of a response may take while it is parsed, in bytes. */
  readonly maxBytes: number;
  /** The longest range that is read at once if it fits into memory. */
  readonly longestMs: number;
  readonly random: () => number;
  readonly observer: Pick<MigrationObserver, 'event'>;
}
