// A small Kubernetes API server in this process, for situations that a real one cannot produce on demand: pages that expire, silent
// watches, bursts of errors, half-open connections. Stores objects of any kind under their paths, without schema or admission.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeConnection } from '../../../src/operator/kube/kube-config.ts';
import type { KubeObject } from '../../../src/operator/kube/kube-objects.ts';
import { Secret } from '../../../src/telemetry/secret.ts';
import { isIn, isCollectionPath, statusOf, failure, merge } from './api-objects.ts';
import type { LogEntry, Stored } from './api-objects.ts';
import type { Fault, SeenRequest } from './api-requests.ts';

interface Watcher {
  readonly collection: string;
  readonly response: ServerResponse;
  silent: boolean;
}

export class FakeApiServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** While false, what is deleted in the foreground stays, and is only marked as deleted. */
  collectsGarbage = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #objects = new Map<string, Stored>();
  readonly #log: LogEntry[] = [];
  readonly #watchers = new Set<Watcher>();
  readonly #faults: { fault: Fault; left: number }[] = [];
  /** The prefix of continue tokens; expirePages() changes it. */
  #snapshot = 1;
  #version = 100;
  #compacted = 0;
  #tokens = 0;
  #connections = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async start(port = 0): Promise<FakeApiServer> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const fake = new FakeApiServer(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return fake;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** The number of connections ever accepted. */
  get connections(): number {
    return this.#connections;
  }

  get openWatches(): number {
    return this.#watchers.size;
  }

  /** Uses another token for each request, as if it were rotated constantly. */
  get connection(): KubeConnection {
    return {
      server: this.url,
      namespace: 'default',
      requestOptions: async () => new Secret({ headers: { Authorization: `Bearer token-${++this.#tokens}` } }),
    };
  }

  fault(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** Stores an object like a user: with a new version and, for a new object, a uid. Notifies the watches. */
  put<T extends KubeObject>(collection: string, object: T): T {
    const path = this.#pathOf(collection, object);
    const before = this.#objects.get(path);
    const version = ++this.#version;
    const uid = object.metadata.uid ?? before?.metadata.uid ?? `uid-${version}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    this.#objects.set(path, stored as unknown as Stored);
    this.#notify({ version, path, type: before === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  }

  read<T extends KubeObject>(path: string): T | undefined {
    return this.#objects.get(path) as T | undefined;
  }

  remove(path: string): void {
    const object = this.#objects.get(path);
    if (object === undefined) return;
    this.#objects.delete(path);
    const version = ++this.#version;
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#notify({ version, path, type: 'DELETED', object: last });
  }

  /** Discards all history: resuming from an older version returns 410. */
  compact(): void {
    this.#compacted = this.#version;
  }

  expirePages(): void {
    this.#snapshot += 1;
  }

  bookmark(): void {
    const object = { metadata: { resourceVersion: String(this.#version) } };
    for (const watcher of this.#watchers) send(watcher, 'BOOKMARK', object);
  }

  /** Sends an event to all watches. */
  tellWatches(type: string, object: unknown): void {
    for (const watcher of this.#watchers) send(watcher, type, object);
  }

  /** Sends raw text to all watches. */
  writeToWatches(text: string): void {
    for (const { response } of this.#watchers) response.write(text);
  }

  /** Ends all watches like the server after timeoutSeconds. */
  endWatches(): void {
    for (const { response } of this.#watchers) response.end();
  }

  /** Resets the connections of all watches. */
  cutWatches(): void {
    for (const { response } of this.#watchers) response.destroy();
  }

  /** The open watches stay open and send nothing any more, like a half-open connection. */
  silenceWatches(): void {
    for (const watcher of this.#watchers) watcher.silent = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pathOf(collection: string, { metadata: { namespace, name } }: KubeObject): string {
    if (namespace === undefined || collection.includes('/namespaces/')) return `${collection}/${name}`;
    const at = collection.lastIndexOf('/');
    return `${collection.slice(0, at)}/namespaces/${namespace}${collection.slice(at)}/${name}`;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const url = new URL(incoming.url ?? '/', this.url);
    const body = Buffer.concat(pieces).toString();
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: incoming.headers as Record<string, string>,
      body: body === '' ? undefined : JSON.parse(body),
    };
    this.requests.push(request);
    const hit = this.#faults.find(({ fault, left }) => left > 0 && (fault.when?.(request) ?? true));
    if (hit !== undefined) hit.left -= 1;
    const act = hit?.fault.act;
    if (act === 'no-answer') return;
    if (act === 'reset') {
      incoming.socket.destroy();
    } else if (act === 'cut-body') {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 1000 });
      response.write('{"kind":');
      setTimeout(() => incoming.socket.destroy(), 5);
    } else if (act === 'lose-answer') {
      this.#response(request);
      incoming.socket.destroy();
    } else if (act !== undefined) {
      const { status, reason = '', retryAfter } = act;
      response.writeHead(status, retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) });
      response.end(act.body ?? JSON.stringify(statusOf(status, reason)));
    } else if (request.query['watch'] === 'true') {
      this.#watch(request, response);
    } else {
      const { status, value } = this.#response(request);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(value));
    }
  }

  #watch({ path, query }: SeenRequest, response: ServerResponse): void {
    const from = Number(query['resourceVersion'] ?? 0);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    const watcher: Watcher = { collection: path, response, silent: false };
    if (from < this.#compacted) {
      send(watcher, 'ERROR', statusOf(410, 'Expired'));
      response.end();
      return;
    }
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const { version, path: of, type, object } of this.#log) {
      if (version > from && isIn(of, path)) send(watcher, type, object);
    }
  }

  #notify(entry: LogEntry): void {
    this.#log.push(entry);
    for (const watcher of this.#watchers) {
      if (isIn(entry.path, watcher.collection)) send(watcher, entry.type, entry.object);
    }
  }

  #response(request: SeenRequest): { status: number; value: unknown } {
    const { method, path, query } = request;
    const body = request.body as Stored | undefined;
    const target = path.replace(/\/status$/, '');
    const stored = this.#objects.get(target);
    if (method === 'POST') {
      const created = this.#pathOf(path, body!);
      if (this.#objects.has(created)) return failure(409, 'AlreadyExists');
      return { status: 201, value: this.put(path, body!) };
    }
    const isCollection = /\/[a-z]+$/.test(target) && [...this.#objects.keys()].some((key) => isIn(key, target));
    if (method === 'GET' && (isCollection || isCollectionPath(target))) return this.#list(target, query);
    const collection = target.slice(0, target.lastIndexOf('/'));
    if (method === 'PUT') {
      // The uid is a precondition; without one a PUT creates the object, which only Leases support.
      const uid = body?.metadata.uid;
      if (uid !== undefined && uid !== stored?.metadata.uid) return failure(409, 'Conflict');
      if (stored === undefined && target.includes('/leases/'))
        return { status: 201, value: this.put(collection, body!) };
    }
    if (stored === undefined && method !== 'PATCH') return failure(404, 'NotFound');
    if (method === 'GET') return { status: 200, value: stored };
    if (method === 'DELETE') {
      const options = body as { preconditions?: { uid?: string }; propagationPolicy?: string } | undefined;
      const uid = options?.preconditions?.uid;
      if (uid !== undefined && uid !== stored!.metadata.uid) return failure(409, 'Conflict');
      const keeps = !this.collectsGarbage && options?.propagationPolicy === 'Foreground';
      if (keeps || 'finalizers' in stored!.metadata) {
        const metadata = { ...stored!.metadata, deletionTimestamp: new Date().toISOString() };
        return { status: 200, value: this.put(collection, { ...stored!, metadata }) };
      }
      this.remove(target);
      return { status: 200, value: statusOf(200, '') };
    }
    const wanted = body?.metadata?.resourceVersion;
    if (stored !== undefined && wanted !== undefined && wanted !== stored.metadata.resourceVersion) {
      return failure(409, 'Conflict');
    }
    if (method === 'PUT') return { status: 200, value: this.put(collection, body!) };
    if (stored === undefined && !String(request.headers['content-type']).includes('apply'))
      return failure(404, 'NotFound');
    return { status: 200, value: this.put(collection, merge(stored ?? {}, body!) as unknown as Stored) };
  }

  #list(collection: string, query: Readonly<Record<string, string>>): { status: number; value: unknown } {
    const [snapshot = this.#snapshot, from = 0] = (query['continue'] ?? '').split('.').filter(Boolean).map(Number);
    if (snapshot !== this.#snapshot) return failure(410, 'Expired');
    const paths = [...this.#objects.keys()].filter((path) => isIn(path, collection)).sort();
    const limit = Number(query['limit'] ?? 0) || paths.length;
    const next = from + limit;
    const more = next < paths.length ? { continue: `${this.#snapshot}.${next}` } : {};
    return {
      status: 200,
      value: {
        kind: 'List',
        metadata: { resourceVersion: String(this.#version), ...more },
        items: paths.slice(from, next).map((path) => this.#objects.get(path)),
      },
    };
  }
}

function send(watcher: Watcher, type: string, object: unknown): void {
  if (!watcher.silent) watcher.response.write(`${JSON.stringify({ type, object })}\n`);
}
