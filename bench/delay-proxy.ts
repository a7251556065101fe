// A loopback TCP proxy that delays all data, as a long-distance connection does, without limiting the throughput. The case `far` puts it
// between a tool and a server. Opening a connection takes no longer than without the proxy; over a real distance it would take one more
// round trip.

import { createServer, connect, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
}

/** The maximum amount of data in flight in one direction, like the TCP windows of a real connection. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;

/** A proxy to the server at `target`; each direction takes `delayMs`, in order. */
export async function startDelayProxy(target: string, delayMs: number): Promise<TcpProxy> {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    carry(near, far, delayMs);
    carry(far, near, delayMs);
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const ownPort = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${ownPort}${pathname.replace(/\/$/, '')}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  let waitingBytes = 0;
  from.on('data', (bytes: Buffer) => {
    waitingBytes += bytes.length;
    if (waitingBytes > IN_FLIGHT_BYTES) from.pause();
    // Timers of the same length run in the order in which they were set.
    setTimeout(() => {
      to.write(bytes, () => {
        waitingBytes -= bytes.length;
        if (waitingBytes <= IN_FLIGHT_BYTES) from.resume();
      });
    }, delayMs);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
}
