// Starts the programs of a Kubernetes control plane on the loopback: etcd, kube-apiserver, kube-controller-manager, each as a separate
// process.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createAuthority } from '../certificates.ts';
import { request } from '../http.ts';
import type { FoundServer } from '../install.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/** Shared by the processes, and preserved when one of them is restarted. */
export interface ControlPlane {
  readonly directory: string;
  readonly etcdUrl: string;
  readonly etcdPeerUrl: string;
  /** The URL of the API server, `https://127.0.0.1:…`. */
  readonly url: string;
  readonly controllerManagerPort: number;
  /** PEM text and file of the CA that signed the API server's certificate. */
  readonly ca: string;
  readonly caFile: string;
  /** Token of a user in the group system:masters. */
  readonly adminToken: string;
  readonly controllerManagerKubeconfig: string;
  /** Where the API server writes its audit log, if enabled. */
  readonly auditLog: string | undefined;
}

const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
# A watch is written down when it begins and when it ends; other requests once, when they are answered.
omitStages: [RequestReceived]
rules:
  - level: Metadata
`;

/** Writes keys, certificates and tokens into `directory` and chooses ports; starts nothing. */
export async function prepareControlPlane(directory: string, audit: boolean): Promise<ControlPlane> {
  const [etcdPort, peerPort, port, controllerManagerPort = 0] = await quietPorts(4);
  const url = `https://127.0.0.1:${port}`;
  const authority = createAuthority();
  const serving = authority.issue('kube-apiserver');
  const serviceAccounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const adminToken = randomBytes(24).toString('hex');
  const controllerManagerToken = randomBytes(24).toString('hex');
  const files = {
    'ca.pem': authority.cert,
    'apiserver.pem': serving.cert,
    'apiserver-key.pem': serving.key,
    'service-accounts.pem': serviceAccounts.publicKey.export({ format: 'pem', type: 'spki' }),
    'service-accounts-key.pem': serviceAccounts.privateKey.export({ format: 'pem', type: 'sec1' }),
    'tokens.csv': [
      `${adminToken},admin,admin,system:masters`,
      `${controllerManagerToken},system:kube-controller-manager,system:kube-controller-manager`,
      '',
    ].join('\n'),
    'audit-policy.yaml': AUDIT_POLICY,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 });
  const caFile = join(directory, 'ca.pem');
  return {
    directory,
    etcdUrl: `http://127.0.0.1:${etcdPort}`,
    etcdPeerUrl: `http://127.0.0.1:${peerPort}`,
    url,
    controllerManagerPort,
    ca: authority.cert,
    caFile,
    adminToken,
    controllerManagerKubeconfig: await writeKubeconfig(join(directory, 'controller-manager.kubeconfig'), {
      url,
      caFile,
      user: 'system:kube-controller-manager',
      token: controllerManagerToken,
    }),
    auditLog: audit ? join(directory, 'audit.log') : undefined,
  };
}

/** An etcd with one member. It does not sync to disk: its data survives a crash of the process, but not of the machine. */
export function startEtcd(plane: ControlPlane, program: FoundServer): Promise<ServerProcess> {
  return startServer({
    ...program,
    name: 'etcd',
    dataDir: join(plane.directory, 'etcd'),
    ports: 0,
    args: async (_ports, dataDir) => [
      '--name=test',
      `--data-dir=${dataDir}`,
      `--listen-client-urls=${plane.etcdUrl}`,
      `--advertise-client-urls=${plane.etcdUrl}`,
      `--listen-peer-urls=${plane.etcdPeerUrl}`,
      `--initial-advertise-peer-urls=${plane.etcdPeerUrl}`,
      `--initial-cluster=test=${plane.etcdPeerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    url: () => plane.etcdUrl,
    ready: async (url) => (await request(`${url}/health`)).status === 200,
  });
}

/** The API server, with RBAC and every admission plugin that is on by default, `default` and `kube-system` present. */
export function startApiServer(plane: ControlPlane, program: FoundServer): Promise<ServerProcess> {
  const file = (name: string) => join(plane.directory, name);
  return startServer({
    ...program,
    name: 'kube-apiserver',
    dataDir: file('apiserver'),
    ports: 0,
    async args(_ports, dataDir) {
      await mkdir(dataDir, { recursive: true });
      return [
        `--etcd-servers=${plane.etcdUrl}`,
        `--cert-dir=${dataDir}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${new URL(plane.url).port}`,
        `--tls-cert-file=${file('apiserver.pem')}`,
        `--tls-private-key-file=${file('apiserver-key.pem')}`,
        `--client-ca-file=${plane.caFile}`,
        `--token-auth-file=${file('tokens.csv')}`,
        '--authorization-mode=RBAC',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${file('service-accounts.pem')}`,
        `--service-account-signing-key-file=${file('service-accounts-key.pem')}`,
        '--service-cluster-ip-range=10.0.0.0/24',
        // It would publish its own address, but rejects a loopback address.
        '--endpoint-reconciler-type=none',
        '--profiling=false',
        ...(plane.auditLog
          ? [`--audit-log-path=${plane.auditLog}`, `--audit-policy-file=${file('audit-policy.yaml')}`]
          : []),
      ];
    },
    url: () => plane.url,
    async ready(url) {
      for (const path of ['/readyz', '/api/v1/namespaces/default', '/api/v1/namespaces/kube-system']) {
        const headers = { authorization: `Bearer ${plane.adminToken}` };
        if ((await request(`${url}${path}`, { headers, identity: { ca: plane.ca } })).status !== 200) return false;
      }
      return true;
    },
  });
}

/** The controllers that Kubernetes runs by default, each with a separate service account. */
export function startControllerManager(plane: ControlPlane, program: FoundServer): Promise<ServerProcess> {
  const kubeconfig = plane.controllerManagerKubeconfig;
  return startServer({
    ...program,
    name: 'kube-controller-manager',
    dataDir: join(plane.directory, 'controller-manager'),
    ports: 0,
    async args(_ports, dataDir) {
      await mkdir(dataDir, { recursive: true });
      return [
        `--kubeconfig=${kubeconfig}`,
        `--authentication-kubeconfig=${kubeconfig}`,
        `--authorization-kubeconfig=${kubeconfig}`,
        `--cert-dir=${dataDir}`,
        '--bind-address=127.0.0.1',
        `--secure-port=${plane.controllerManagerPort}`,
        '--use-service-account-credentials',
        `--service-account-private-key-file=${join(plane.directory, 'service-accounts-key.pem')}`,
        `--root-ca-file=${plane.caFile}`,
        // Otherwise it would exit when the API server is unavailable for longer than its lease.
        '--leader-elect=false',
        // With the default rate limit the controllers need five seconds to get their tokens.
        '--kube-api-qps=500',
        '--kube-api-burst=1000',
        '--profiling=false',
      ];
    },
    url: () => `https://127.0.0.1:${plane.controllerManagerPort}`,
    ready: async () => serviceAccountExists(plane),
  });
}

/** The controllers create it at the end of their startup; before that, a Pod in `default` would be rejected. */
async function serviceAccountExists(plane: ControlPlane): Promise<boolean> {
  const response = await request(`${plane.url}/api/v1/namespaces/default/serviceaccounts/default`, {
    headers: { authorization: `Bearer ${plane.adminToken}` },
    identity: { ca: plane.ca },
  });
  return response.status === 200;
}

/** Ports that are free now and stay free while their server is stopped for a minute: below the ephemeral port ranges of common systems. */
async function quietPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt++) {
    if (attempt > 1_000) throw new Error('no free ports between 15000 and 30000 on 127.0.0.1');
    const port = 15_000 + (randomBytes(4).readUInt32LE() % 15_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
