// How many bytes have arrived from a source, for protocols whose responses do not say it themselves.

import type { ClientContext } from '../../remote/http/exchange.ts';

export class ReceivedBytes {
  #bytes = 0;

  /** The context of a client whose responses are counted. */
  counting(context: ClientContext): ClientContext {
    return {
      ...context,
      request: (event) => {
        this.#bytes += event.receivedBytes;
        context.request(event);
      },
    };
  }

  /** What has arrived since the last call. Of requests at the same time, the one that ends first gets all of it. */
  take(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }
}
