// A server that issues tokens, for the tests: it records what it was sent and replies what the test says.

import type { IncomingHttpHeaders } from 'node:http';
import { httpServer, type TestServer } from '../../remote/servers.ts';

interface TokenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly form: URLSearchParams;
}

export interface TokenReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface TokenServer extends TestServer {
  readonly requests: TokenRequest[];
  /** Called for each request; undefined: no response at all. */
  reply: (request: TokenRequest, number: number) => TokenReply | undefined | Promise<TokenReply | undefined>;
}

export async function startTokenServer(
  reply: TokenServer['reply'] = (_, number) => bearer(`token-${number}`),
): Promise<TokenServer> {
  const requests: TokenRequest[] = [];
  const server = await httpServer((incoming, response, body) => {
    const request: TokenRequest = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', 'http://localhost'),
      headers: incoming.headers,
      text: body.toString('utf8'),
      form: new URLSearchParams(body.toString('utf8')),
    };
    requests.push(request);
    void Promise.resolve(started.reply(request, requests.length)).then((made) => {
      if (made === undefined) return;
      response.writeHead(made.status, made.headers).end(made.text);
    });
  });
  const started: TokenServer = Object.assign(server, { requests, reply });
  return started;
}

export function bearer(token: string, others: object = { expires_in: 3600 }): TokenReply {
  return json(200, { access_token: token, token_type: 'Bearer', ...others });
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): TokenReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, text: JSON.stringify(value) };
}
