// A connection that is read in large pieces.
//
// Prometheus flushes after every frame of its stream, so a socket that is read as data arrives takes a hundred kernel reads, and as many
// turns of the event loop and of the HTTP parser, for each 256 KiB. This one rests for two milliseconds after a small read. What arrives
// meanwhile waits in the kernel and comes as one piece.

import type { OnReadOpts, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '../../telemetry/clock.ts';

const READ_BYTES = 256 * 1024;
/** A larger read shows that more is waiting. */
const SMALL_READ_BYTES = 64 * 1024;
/**
 * Larger pieces are passed on where they were read, without a copy. The parser keeps parts of a header from one piece to the next, but a
 * header is at the beginning of what is read, and undici accepts at most 16 KiB of them.
 */
const COPIED_BYTES = 32 * 1024;
const REST_MS = 2;

type State =
  /** The socket is read as data arrives. */
  | 'reads'
  /** Nothing is read until the rest is over. */
  | 'rests'
  /** Nothing is read until the consumer has taken everything: it may be where the next bytes would be read to. */
  | 'held';

/**
 * The connection was lost. It has no `code` of its own: undici takes a response without a length as complete when the connection was reset,
 * which it recognizes by the code of the error.
 */
class ConnectionLost extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/**
 * Bytes are passed on in the order of their arrival: a piece is passed on when it is read, and only the socket rests. The consumer takes
 * pieces by `read()` and is done with them when it calls it again, or puts back what it has not used, as undici does.
 */
export class RestingSocket extends Duplex {
  /** For the options of node:net and node:tls: the socket reads into one block of memory. */
  readonly onread: OnReadOpts;
  /** Called when all that was written has been handed to the system. */
  onFlushed: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #memory: Buffer;
  #socket: Socket | undefined;
  #readsInto = false;
  #ended = false;
  #lost: ConnectionLost | undefined;
  #state: State = 'reads';
  /** What a socket had read before it stopped, and passes on later: TLS decrypts several records at once. */
  #late: Buffer[] = [];

  constructor(clock: Clock) {
    super({ allowHalfOpen: false });
    this.#clock = clock;
    this.#memory = Buffer.allocUnsafeSlow(READ_BYTES);
    this.onread = {
      buffer: this.#memory,
      callback: (bytes) => {
        const piece = this.#memory.subarray(0, bytes);
        const mayLend = this.#state === 'reads' && this.#socket !== undefined && bytes >= COPIED_BYTES;
        this.#arrived(mayLend ? piece : Buffer.from(piece));
        return true;
      },
    };
    this.on('error', () => undefined);
  }

  /** @param readsInto whether the socket was opened with `onread` */
  attach(socket: Socket, readsInto: boolean): this {
    this.#socket = socket;
    this.#readsInto = readsInto;
    if (!readsInto) socket.on('readable', () => this.#takeReadable());
    socket.on('end', () => {
      this.#ended = true;
      this.#passOnLate();
      this.push(null);
    });
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => {
      if (!this.#ended) this.#lose(Object.assign(new Error('the connection closed'), { code: 'ECONNRESET' }));
    });
    return this;
  }

  ref(): this {
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#socket?.unref();
    return this;
  }

  /** Pieces are pushed as they arrive. What holds them back is in `read`. */
  override _read(): void {}

  override read(bytes?: number): Buffer | null {
    const piece: Buffer | null = super.read(bytes);
    if (this.#lost !== undefined) this.#destroyWhenTaken();
    // Not with its last piece, which it may put back.
    if (piece === null && this.#state === 'held') this.#continue();
    return piece;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wake();
    this.#socket?.write(chunk, (error) => this.#written(error, done));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#wake();
    const socket = this.#socket;
    socket?.cork();
    for (const [index, { chunk }] of chunks.entries()) {
      if (index < chunks.length - 1) socket?.write(chunk);
      else socket?.write(chunk, (error) => this.#written(error, done));
    }
    socket?.uncork();
  }

  override _final(done: () => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#late = [];
    this.#socket?.destroy();
    done(error);
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = new ConnectionLost(error);
    this.#passOnLate();
    this.#destroyWhenTaken();
  }

  /** Not before the parser has seen everything: a server may respond and then reset the connection. */
  #destroyWhenTaken(): void {
    if (this.readableLength === 0) setImmediate(() => this.destroy(this.#lost));
  }

  #written(error: Error | null | undefined, done: (error?: Error | null) => void): void {
    if (error) done(this.#lost ?? new ConnectionLost(error));
    else {
      done();
      if (this.writableLength === 0) this.onFlushed();
    }
  }

  #arrived(piece: Buffer): void {
    if (this.#state !== 'reads') {
      this.#late.push(piece);
      return;
    }
    const isSmall = piece.length < SMALL_READ_BYTES;
    this.#state = isSmall ? 'rests' : 'held';
    if (this.#readsInto) this.#socket?.pause();
    this.push(piece);
    if (!isSmall) return;
    this.#clock.sleep(REST_MS).then(
      () => this.#wake(),
      () => undefined,
    );
  }

  /** For a socket that was not opened here, such as a tunnel: it gathers what it reads by itself. */
  #takeReadable(): void {
    if (this.#state !== 'reads') return;
    const piece: Buffer | null = this.#socket?.read() ?? null;
    if (piece !== null) this.#arrived(piece);
  }

  #passOnLate(): void {
    if (this.#late.length === 0) return;
    const late = this.#late.length === 1 ? this.#late[0] : undefined;
    const piece = late ?? Buffer.concat(this.#late);
    this.#late = [];
    this.push(piece);
  }

  /** Ends the rest. */
  #wake(): void {
    if (this.#state !== 'rests' || this.destroyed) return;
    this.#state = 'held';
    if (this.readableLength === 0) this.#continue();
  }

  #continue(): void {
    if (this.#late.length > 0) {
      this.#passOnLate();
      return;
    }
    this.#state = 'reads';
    if (this.#readsInto) this.#socket?.resume();
    else this.#takeReadable();
  }
}
