// As much of a kubelet as the log of a pod needs: the API server requests it from the node of the pod.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../../support/certificates.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { succeeded } from './operator.ts';

export interface LogKubelet extends AsyncDisposable {
  /** The paths that the API server has requested. */
  readonly requested: readonly string[];
}

/** @param log the log of every container of the node */
export async function startLogKubelet(cluster: Cluster, node: string, log: () => string): Promise<LogKubelet> {
  const requested: string[] = [];
  const { key, cert } = createAuthority().issue('kubelet');
  const server = createServer({ key, cert }, (request, response) => {
    requested.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/plain' }).end(log());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node }, status };
  succeeded(await cluster.kubectl(['create', '-f', '-'], JSON.stringify(object)));
  return {
    requested,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
