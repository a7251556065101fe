// The connections of one endpoint for bulk streams: limited in number, the one used last is used next.

// The file of this one class: the whole of undici takes more than twice the memory and the time to load. Its version is pinned.
import Client from 'undici/lib/dispatcher/client.js';
import { Waiters } from '../../telemetry/waiters.ts';
import type { Connector, Target } from './connector.ts';
import type { RestingSocket } from './resting-socket.ts';

/**
 * The limits of the phases and of the body are ours, and an idle connection is kept until the server closes it, as node:http does. undici
 * would offer HTTP/2 to the servers.
 */
const OPTIONS = {
  pipelining: 1,
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: 24 * 3_600_000,
  keepAliveMaxTimeout: 24 * 3_600_000,
} as const;

/** One connection. It is opened by the first request, and again by a later one if the server has closed it. */
export class Connection {
  readonly client: Client;
  /** The one that was opened last. */
  socket: RestingSocket | undefined;
  #opening: AbortController | undefined;

  constructor(origin: string, target: Target, connector: Connector) {
    this.client = new Client(origin, {
      ...OPTIONS,
      connect: (_, callback) => {
        const opening = new AbortController();
        this.#opening = opening;
        connector.open(target, opening.signal).then(
          (socket) => {
            this.#opening = undefined;
            this.socket = socket;
            callback(null, socket as never);
          },
          (error: Error) => {
            this.#opening = undefined;
            callback(error, null);
          },
        );
      },
    });
  }

  /** Ends the request that waits for the connection to be opened. */
  stopOpening(reason: Error): void {
    this.#opening?.abort(reason);
  }

  close(reason: Error): void {
    this.stopOpening(reason);
    this.client.destroy(reason, () => undefined);
  }
}

export class ClientPool {
  readonly #create: () => Connection;
  readonly #max: number;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiters = new Waiters<undefined, Connection>();

  constructor(url: URL, connector: Connector, maxConnections: number) {
    const isTls = url.protocol === 'https:';
    const target = {
      // An IPv6 address is in brackets.
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
      isTls,
    };
    this.#create = () => new Connection(url.origin, target, connector);
    this.#max = maxConnections;
  }

  /** Waits for a connection that serves no other request. @throws the signal's reason, or that of `close` */
  async take(signal: AbortSignal): Promise<Connection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    return this.#all.size < this.#max ? this.#open() : this.#waiters.wait(undefined, signal);
  }

  /** @param reusable false after a failure: the client of undici may not have recovered from it */
  giveBack(connection: Connection, reusable: boolean): void {
    if (!this.#all.has(connection)) return;
    if (!reusable) {
      this.#all.delete(connection);
      connection.close(new Error('the request failed'));
    }
    if (this.#waiters.size > 0) this.#waiters.admitFirst(reusable ? connection : this.#open());
    else if (reusable) this.#idle.push(connection);
  }

  close(reason: Error): void {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    this.#waiters.rejectAll(reason);
    for (const connection of all) connection.close(reason);
  }

  #open(): Connection {
    const connection = this.#create();
    this.#all.add(connection);
    return connection;
  }
}
