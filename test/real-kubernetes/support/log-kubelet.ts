// A pod of the operator as the chart makes it, and as much of a kubelet as its log needs: the API server requests it from the node of the pod.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../../support/certificates.ts';
import { type InstalledChart, succeeded } from './operator.ts';

export interface OperatorPod extends AsyncDisposable {
  readonly name: string;
  /** The paths that the API server has requested. */
  readonly requested: readonly string[];
}

const NODE = 'node-of-the-log';
const NAME = 'prom-migrator-abcde';
const LABELS = { 'app.kubernetes.io/name': 'prom-migrator', 'app.kubernetes.io/component': 'operator' };

/** @param planted the value of an environment variable */
export async function createOperatorPod(
  chart: InstalledChart,
  log: () => string,
  planted: string,
): Promise<OperatorPod> {
  const requested: string[] = [];
  const { key, cert } = createAuthority().issue('kubelet');
  const server = createServer({ key, cert }, (request, response) => {
    requested.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/plain' }).end(log());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const node = {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  };
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: NAME, namespace: chart.namespace, labels: LABELS } },
    spec: {
      ...{ nodeName: NODE, serviceAccountName: chart.serviceAccount, automountServiceAccountToken: false },
      containers: [
        {
          ...{ name: 'operator', image: 'example.com/prom-migrator:0.0.0', env: [{ name: 'PLANTED', value: planted }] },
          ports: [{ name: 'metrics', containerPort: 8080 }],
        },
      ],
    },
  };
  for (const object of [node, pod])
    succeeded(await chart.cluster.kubectl(['create', '-f', '-'], JSON.stringify(object)));
  return {
    name: NAME,
    requested,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
