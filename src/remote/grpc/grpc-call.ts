// One gRPC call whose response is a stream of messages, as bytes. A message is read when it is asked for: until then, flow control stops the
// server.

import type { ChannelInterface, Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../telemetry/clock.ts';
import { BodyPace } from '../http/body-pace.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { OVER } from '../http/over.ts';
import { PhaseLimit } from '../http/phase-limit.ts';
import { SilenceError, SlowError } from '../meaning/classify-failure.ts';
import { GRPC_CODES, GrpcStatus } from '../meaning/grpc-status.ts';

/** The library's ConnectivityState. The enum itself would load the library. */
const READY = 2;

export interface GrpcCallOptions {
  readonly method: string;
  readonly metadata: Metadata;
  readonly message: Uint8Array;
  readonly timeouts: Endpoint['timeouts'];
  /** For the limits of the phases before the response. */
  readonly phaseClock: Clock;
  /** For the pauses in the response. */
  readonly clock: Clock;
}

interface Reader {
  readonly resolve: (message: Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class GrpcCall {
  readonly #channel: ChannelInterface;
  readonly #call: ReturnType<ChannelInterface['createCall']>;
  readonly #options: GrpcCallOptions;
  readonly #limit: PhaseLimit;
  readonly #pace: BodyPace;
  readonly #over = new AbortController();
  #reader: Reader | undefined;
  /** Undefined while the call is under way. */
  #end: { readonly failure: Error | undefined } | undefined;
  #hasResponded = false;
  #receivedBytes = 0;

  /** Sends the request. */
  constructor(channel: ChannelInterface, options: GrpcCallOptions) {
    const { method, metadata, message, timeouts, phaseClock } = options;
    this.#channel = channel;
    this.#options = options;
    this.#limit = new PhaseLimit(phaseClock, (timeout) => this.cancel(timeout));
    this.#pace = new BodyPace(timeouts.silenceMs);
    this.#call = channel.createCall(method, Number.POSITIVE_INFINITY, null, null, null);
    this.#enterPhase();
    this.#call.start(metadata, {
      onReceiveMetadata: () => this.#responds(),
      onReceiveMessage: (bytes: Uint8Array) => this.#received(bytes),
      onReceiveStatus: ({ code, details }) =>
        this.#ended(code === GRPC_CODES.ok ? undefined : new GrpcStatus(code, details)),
    });
    this.#call.sendMessageWithContext({}, Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    this.#call.halfClose();
  }

  /** Whether the headers of the response have arrived. */
  get hasResponded(): boolean {
    return this.#hasResponded;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /**
   * The next message; undefined after the last. One call at a time.
   * @throws GrpcStatus, PhaseTimeout, SilenceError, SlowError, or what `cancel` was called with
   */
  async next(): Promise<Uint8Array | undefined> {
    this.#throwFailure();
    if (this.#end !== undefined) return undefined;
    const { clock } = this.#options;
    this.#pace.wait(clock.monotonicMs());
    try {
      return await new Promise((resolve, reject) => {
        this.#reader = { resolve, reject };
        this.#call.startRead();
      });
    } finally {
      this.#pace.pause(clock.monotonicMs());
    }
  }

  cancel(reason: Error): void {
    if (this.#end !== undefined) return;
    this.#ended(reason);
    this.#call.cancelWithStatus(GRPC_CODES.cancelled, 'cancelled');
  }

  #throwFailure(): void {
    if (this.#end?.failure !== undefined) throw this.#end.failure;
  }

  /** The call waits for a connection, or for its response. */
  #enterPhase(): void {
    const { connectMs, firstByteMs } = this.#options.timeouts;
    const state = this.#channel.getConnectivityState(true);
    if (state === READY) {
      this.#limit.enter('response', firstByteMs);
      return;
    }
    this.#limit.enter('connect', connectMs);
    const onChange = () => {
      if (this.#end !== undefined || this.#hasResponded) return;
      const now = this.#channel.getConnectivityState(false);
      if (now === READY) this.#limit.enter('response', firstByteMs);
      else this.#channel.watchConnectivityState(now, Number.POSITIVE_INFINITY, onChange);
    };
    this.#channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, onChange);
  }

  #responds(): void {
    if (this.#hasResponded || this.#end !== undefined) return;
    this.#hasResponded = true;
    this.#limit.leave();
    void this.#watch();
  }

  #received(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length;
    this.#pace.arrived(bytes.length, this.#options.clock.monotonicMs());
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(bytes);
  }

  #ended(failure: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    this.#limit.leave();
    this.#over.abort(OVER);
    const reader = this.#reader;
    this.#reader = undefined;
    if (failure === undefined) reader?.resolve(undefined);
    else reader?.reject(failure);
  }

  /** One timer for the whole response. */
  async #watch(): Promise<void> {
    const { clock } = this.#options;
    const pace = this.#pace;
    for (let delayMs = pace.silenceMs; ; ) {
      try {
        await clock.sleep(delayMs, this.#over.signal);
      } catch {
        return;
      }
      const seen = pace.look(clock.monotonicMs());
      if (seen.kind === 'silent') return this.cancel(new SilenceError(pace.silenceMs));
      if (seen.kind === 'slow') return this.cancel(new SlowError(seen.bytes, pace.periodMs));
      delayMs = seen.lookAgainInMs;
    }
  }
}
