// Manifests whose source has a protocol that other fields do not fit.

import type { Changes } from './manifests.ts';

const needsGrpc =
  'must be grpc://host:port or grpcs://host:port with protocol ThanosStore, such as grpc://thanos-store:10901: the StoreAPI is at the ' +
  'gRPC port (--grpc-address), not at the HTTP port';
const needsHttp =
  'must be an http:// or https:// URL with this protocol: set protocol to ThanosStore to read the StoreAPI of a Thanos over gRPC';
const noProxy =
  'must not be set with protocol ThanosStore: gRPC connections through a proxy are not supported; run prom-migrator where it can reach ' +
  'the store directly';
const onlyStore =
  'must not be set unless protocol is ThanosStore: with the other protocols, drop the label with relabelings (action labeldrop)';

const store = { 'spec.source.protocol': 'ThanosStore', 'spec.source.url': 'grpc://store:10901' };

export const badSources: readonly (readonly [Changes, readonly string[]])[] = [
  [{ ...store, 'spec.source.url': 'http://store:10902/' }, [`spec.source.url: "http://store:10902/": ${needsGrpc}`]],
  [{ ...store, 'spec.source.url': 'grpc://store' }, [`spec.source.url: "grpc://store": ${needsGrpc}`]],
  [
    { ...store, 'spec.source.url': 'grpcs://store:10901/api' },
    [`spec.source.url: "grpcs://store:10901/api": ${needsGrpc}`],
  ],
  [
    { ...store, 'spec.source.url': 'grpc://store:109010' },
    [
      'spec.source.url: "grpc://store:109010": must be grpc://host:port or grpcs://host:port with a valid host and port',
    ],
  ],
  ...['RemoteRead', 'VictoriaMetrics', 'PromQL'].map((protocol): readonly [Changes, readonly string[]] => [
    { 'spec.source.protocol': protocol, 'spec.source.url': 'grpc://store:10901' },
    [`spec.source.url: "grpc://store:10901": ${needsHttp}`],
  ]),
  [
    { ...store, 'spec.source.proxyUrl': 'http://proxy:3128' },
    [`spec.source.proxyUrl: "http://proxy:3128": ${noProxy}`],
  ],
  [
    { ...store, 'spec.source.sigv4': { region: 'eu-central-1' } },
    [
      'spec.source.sigv4: must not be set with protocol ThanosStore: gRPC requests are not signed; use basicAuth, authorization, oauth2, azureAd or tls',
    ],
  ],
  [{ 'spec.source.replicaLabels': ['replica'] }, [`spec.source.replicaLabels: ${onlyStore}`]],
  [{ ...store, 'spec.source.replicaLabels': [] }, ['spec.source.replicaLabels: must not be empty']],
  [
    { ...store, 'spec.source.replicaLabels': ['__name__'] },
    ['spec.source.replicaLabels[0]: "__name__": must not be __name__'],
  ],
  [
    { ...store, 'spec.source.readMode': 'Samples' },
    [
      'spec.source.readMode: "Samples": must be Auto unless protocol is RemoteRead: the other protocols have one form only',
    ],
  ],
  [
    { 'spec.destination.url': 'grpc://d:1' },
    ['spec.destination.url: "grpc://d:1": must be an absolute http:// or https:// URL without spaces or a fragment'],
  ],
];

export const goodSources: readonly (readonly [string, Changes])[] = [
  ['the StoreAPI of a Thanos', store],
  [
    'the StoreAPI of a Thanos over TLS, with labels of replicas',
    { ...store, 'spec.source.url': 'grpcs://[::1]:10901/', 'spec.source.replicaLabels': ['replica', 'rule replica'] },
  ],
];
