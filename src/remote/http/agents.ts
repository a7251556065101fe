// The connections of one endpoint: kept alive, limited in number, through a proxy if one is declared, with the endpoint's TLS settings.

import { Agent as HttpAgent, type AgentOptions as HttpAgentOptions } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https';
import { HttpProxyAgent, HttpsProxyAgent } from 'hpagent';

import type { Endpoint, EndpointTls } from './endpoint.ts';
import { type NodeAgents, sendWithGot } from './got-call.ts';
import type { Transport } from './transport.ts';

/** How a server is reached. */
type Route = Pick<Endpoint, 'tls' | 'proxyUrl' | 'timeouts'>;

export interface Agents extends NodeAgents, Transport {}

/**
 * Only the manifest sets a proxy. HTTPS_PROXY and NO_PROXY are ignored, because the same manifest must take the same route in a shell, in
 * CI and in the operator's pod. Requests through a proxy always use a tunnel (CONNECT), for http:// URLs too.
 */
export function createAgents(endpoint: Route, maxSockets: number): Agents {
  const agents = nodeAgents(endpoint, maxSockets);
  return { ...agents, send: (request) => sendWithGot(agents, request), close: () => destroy(agents) };
}

export function closeAgents(agents: Agents): void {
  agents.close();
}

function destroy({ http, https }: NodeAgents): void {
  http.destroy();
  https.destroy();
}

export function nodeAgents(endpoint: Route, maxSockets: number): NodeAgents {
  const connections = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, scheduling: 'lifo' } as const;
  const tls = { ...connections, ...tlsOptions(endpoint.tls) };
  if (endpoint.proxyUrl === undefined) return { http: new HttpAgent(connections), https: new HttpsAgent(tls) };
  // hpagent takes the time limit for the tunnel from the agent's `timeout`.
  const proxy = { proxy: endpoint.proxyUrl.reveal(), timeout: endpoint.timeouts.connectMs };
  return {
    http: new HttpProxyAgent({ ...connections, ...proxy } satisfies HttpAgentOptions & { proxy: string }),
    https: new HttpsProxyAgent({ ...tls, ...proxy } satisfies HttpsAgentOptions & { proxy: string }),
  };
}

/** The options for node:tls. HTTP/2 is never offered. */
export function tlsOptions(tls: EndpointTls): HttpsAgentOptions {
  return {
    rejectUnauthorized: !tls.insecureSkipVerify,
    minVersion: tls.minVersion,
    ALPNProtocols: ['http/1.1'],
    ...(tls.ca !== undefined && { ca: tls.ca.reveal() }),
    ...(tls.cert !== undefined && { cert: tls.cert.reveal() }),
    ...(tls.key !== undefined && { key: tls.key.reveal() }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  };
}
