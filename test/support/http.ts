// The HTTP client of the tests, using only node:http: the code under test must not collect its own evidence.
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: 8 });
const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: 8 });

/** What a server with a web configuration requires; PEM text. */
export interface ClientIdentity {
  ca?: string;
  cert?: string;
  key?: string;
  username?: string;
  password?: string;
}

export interface Request {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  identity?: ClientIdentity;
  timeoutMs?: number;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The response after its headers, with its body still to be read. Retries once when the server closed a kept-alive connection. */
export async function openRequest(url: string, options: Request = {}): Promise<IncomingMessage> {
  try {
    return await send(url, options);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
    return send(url, options);
  }
}

/** The whole response, whatever its status. */
export async function request(url: string, options: Request = {}): Promise<Reply> {
  const response = await openRequest(url, options);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

function send(url: string, options: Request): Promise<IncomingMessage> {
  const { username, password, ...certificates } = options.identity ?? {};
  const secure = url.startsWith('https:');
  const settings = {
    method: options.method ?? 'GET',
    headers: {
      ...(options.body ? { 'content-length': String(Buffer.byteLength(options.body)) } : {}),
      ...options.headers,
    },
    ...(username ? { auth: `${username}:${password ?? ''}` } : {}),
    timeout: options.timeoutMs ?? 120_000,
  };
  return new Promise((resolve, reject) => {
    const request = secure
      ? httpsRequest(url, { ...settings, ...certificates, agent: httpsAgent }, resolve)
      : httpRequest(url, { ...settings, agent: httpAgent }, resolve);
    request.on('error', reject);
    request.on('timeout', () =>
      request.destroy(new Error(`${settings.method} ${url}: no answer in ${settings.timeout} ms`)),
    );
    request.end(options.body);
  });
}
