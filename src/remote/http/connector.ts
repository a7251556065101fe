// Opens the connections for bulk streams: directly or through a proxy, with or without TLS, each phase with its time limit.

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '../../telemetry/clock.ts';
import { nodeAgents, tlsOptions } from './agents.ts';
import type { Endpoint } from './endpoint.ts';
import { PhaseLimit } from './phase-limit.ts';
import { RestingSocket } from './resting-socket.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

export class Connector {
  readonly #endpoint: Endpoint;
  readonly #clock: Clock;
  /** Of the last connection, so that the next handshake is short. */
  #session: Buffer | undefined;

  constructor(endpoint: Endpoint, clock: Clock) {
    this.#endpoint = endpoint;
    this.#clock = clock;
  }

  /** Rejects with the error of node:net, node:tls or hpagent, a PhaseTimeout, or the signal's reason. */
  async open(target: Target, signal: AbortSignal): Promise<RestingSocket> {
    signal.throwIfAborted();
    return this.#endpoint.proxyUrl === undefined
      ? this.#openDirectly(target, signal)
      : this.#openTunnel(target, signal);
  }

  async #openDirectly(target: Target, signal: AbortSignal): Promise<RestingSocket> {
    const resting = new RestingSocket(this.#clock);
    const { host, port, isTls } = target;
    const options = { host, port, noDelay: true, keepAlive: true, onread: resting.onread };
    const socket = isTls ? connectTls({ ...options, ...this.#tlsOptions(target) }) : connectTcp(options);
    await this.#established(socket, isTls, signal);
    return resting.attach(socket, true);
  }

  async #openTunnel(target: Target, signal: AbortSignal): Promise<RestingSocket> {
    const { host, port, isTls } = target;
    const agents = nodeAgents(this.#endpoint, 1);
    const options = { host, port, timeout: this.#endpoint.timeouts.connectMs, ...this.#tlsOptions(target) };
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opened = (error: Error | null, tunnel: unknown) => (error ? reject(error) : resolve(tunnel as Socket));
      (isTls ? agents.https : agents.http).createConnection(options, opened);
    });
    if (isTls) await this.#established(socket, true, signal);
    else if (signal.aborted) socket.destroy();
    signal.throwIfAborted();
    return new RestingSocket(this.#clock).attach(socket, false);
  }

  #tlsOptions({ host, isTls }: Target): ConnectionOptions {
    if (!isTls) return {};
    return {
      ...(isIP(host) === 0 && { servername: host }),
      ...tlsOptions(this.#endpoint.tls),
      ...(this.#session !== undefined && { session: this.#session }),
    };
  }

  #established(socket: Socket | TLSSocket, isTls: boolean, signal: AbortSignal): Promise<void> {
    const { connectMs } = this.#endpoint.timeouts;
    if (isTls) socket.on('session', (session: Buffer) => (this.#session = session));
    return new Promise((resolve, reject) => {
      const limit = new PhaseLimit(this.#clock, (timeout) => fail(timeout));
      const onAbort = () => fail(signal.reason);
      const over = () => {
        limit.leave();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (reason: unknown) => {
        over();
        if (isTls) this.#session = undefined;
        socket.destroy();
        reject(reason);
      };
      const done = () => {
        over();
        socket.off('error', fail);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('error', fail);
      // An error after this one has no one to go to.
      socket.on('error', () => undefined);
      limit.enter(socket.connecting ? 'lookup' : 'secureConnect', connectMs);
      socket.once('lookup', () => limit.enter('connect', connectMs));
      socket.once('connect', () => (isTls ? limit.enter('secureConnect', connectMs) : done()));
      socket.once('secureConnect', done);
    });
  }
}
