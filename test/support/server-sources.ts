// The origin of each version of each server.

import type { GoProgram } from './go-programs.ts';

export type ServerName =
  | 'prometheus'
  | 'promtool'
  | 'victoria-metrics'
  | 'influxd'
  | 'thanos'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'
  | 'etcd'
  | 'helm';

export interface Source {
  /** Debian suites with this version, in the order of preference; empty when it can only be built. */
  from: readonly string[];
  package: string;
  /** Built from source when no suite has it. */
  go?: GoProgram;
  /** Development suites are updated: a newer version than the requested one is accepted there. */
  orNewer?: true;
  /** The download page. */
  download: string;
}

const PROMETHEUS_PAGE = 'https://prometheus.io/download/';
const KUBERNETES_PAGE = 'https://kubernetes.io/releases/download/';
const VICTORIA_METRICS_PAGE = 'https://github.com/VictoriaMetrics/VictoriaMetrics/releases';

function built(program: GoProgram, download: string): Source {
  return { from: [], package: program, go: program, orNewer: true, download };
}

/** The version of Kubernetes in the tests. */
export const KUBERNETES = '1.36';

/** Every supported server version. `current` is the newest Prometheus release, built from source. */
export const SOURCES: Record<ServerName, Record<string, Source>> = {
  prometheus: {
    '2.24': { from: ['bullseye'], package: 'prometheus', download: PROMETHEUS_PAGE },
    '2.42': { from: ['bookworm'], package: 'prometheus', download: PROMETHEUS_PAGE },
    '2.53': { from: ['trixie'], package: 'prometheus', download: PROMETHEUS_PAGE },
    '3.5': { from: ['sid', 'forky'], package: 'prometheus', orNewer: true, download: PROMETHEUS_PAGE },
    current: built('prometheus', PROMETHEUS_PAGE),
  },
  promtool: {
    '3.5': { from: ['sid', 'forky'], package: 'promtool', orNewer: true, download: PROMETHEUS_PAGE },
    current: built('promtool', PROMETHEUS_PAGE),
  },
  'victoria-metrics': {
    '1.79': { from: ['bookworm'], package: 'victoria-metrics', download: VICTORIA_METRICS_PAGE },
    '1.112': { from: ['trixie'], package: 'victoria-metrics', download: VICTORIA_METRICS_PAGE },
    '1.145': { from: ['sid', 'forky'], package: 'victoria-metrics', orNewer: true, download: VICTORIA_METRICS_PAGE },
  },
  influxd: {
    '1.6': {
      from: ['bookworm', 'bullseye'],
      package: 'influxdb',
      download: 'https://www.influxdata.com/downloads/',
    },
  },
  thanos: { '0.42': built('thanos', 'https://github.com/thanos-io/thanos/releases') },
  'kube-apiserver': { [KUBERNETES]: built('kube-apiserver', KUBERNETES_PAGE) },
  'kube-controller-manager': { [KUBERNETES]: built('kube-controller-manager', KUBERNETES_PAGE) },
  kubectl: { [KUBERNETES]: built('kubectl', KUBERNETES_PAGE) },
  etcd: {
    '3.5': {
      from: ['sid', 'forky'],
      package: 'etcd-server',
      go: 'etcd',
      orNewer: true,
      download: 'https://github.com/etcd-io/etcd/releases',
    },
  },
  helm: { '4': built('helm', 'https://helm.sh/docs/intro/install/') },
};

/** The programs that may be in the directory of KUBEBUILDER_ASSETS, Kubernetes' own convention for such tests. */
export const KUBEBUILDER_ASSETS: readonly ServerName[] = [
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'etcd',
];

/** The oldest release that counts as `current`: the first that writes start timestamps into its chunks. */
export const OLDEST_CURRENT = '3.16';
