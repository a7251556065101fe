// What went wrong with a request to the API server, and what to do about it. Pure.

import { suggest } from '../../api/problem.ts';
import { KubeApiError, KubeConnectionError } from '../../operator/kube/kube-errors.ts';
import { shown } from './lines.ts';

export interface Failure {
  readonly message: string;
  readonly cure: string;
}

/** What was tried. */
export interface Attempt {
  /** As `kubectl auth can-i` takes it: `patch prommigrations.prom-migrator.io`. */
  readonly right: string;
  readonly namespace: string | undefined;
}

/** Undefined for an error that does not come from a request: a defect. */
export function failureOf(error: unknown, { right, namespace }: Attempt): Failure | undefined {
  if (error instanceof KubeConnectionError) return { message: shown(error.message), cure: connectionCure(error) };
  if (!(error instanceof KubeApiError)) return undefined;
  const message = `the API server refused the request: ${shown(error.message)}`;
  const where = namespace === undefined ? '--all-namespaces' : `-n ${namespace}`;
  switch (error.status) {
    case 401:
      return { message, cure: 'the credentials of the kubeconfig are not valid (any more): log in again' };
    case 403:
      return {
        message,
        cure: `kubectl auth can-i ${right} ${where} says no: ask for the cluster role view (to look) or edit (to change) in this namespace, to which the chart adds these rights`,
      };
    case 404:
      return {
        message: 'the API server does not know PromMigrations',
        cure: 'install prom-migrator in this cluster, or choose another one with --context: kubectl get crd prommigrations.prom-migrator.io',
      };
    case 429:
      return { message, cure: 'the API server is busy: try again later' };
    default:
      return { message, cure: error.status >= 500 ? 'see the API server, or try again later' : 'see the message' };
  }
}

function connectionCure({ failure, code }: KubeConnectionError): string {
  if (failure === 'CREDENTIALS') return 'check the user of the kubeconfig: kubectl auth whoami';
  if (failure === 'TIMEOUT') return 'check the network, a VPN, or a proxy: kubectl cluster-info';
  if (/CERT|SSL|TLS|SIGNATURE/.test(code)) return 'check certificate-authority of the cluster in the kubeconfig';
  return 'check that the cluster runs, and server, --kubeconfig and --context: kubectl cluster-info';
}

/** @param names of the namespace; undefined if they could not be listed */
export function unknownName(name: string, namespace: string, names: readonly string[] | undefined): Failure {
  const message = `there is no PromMigration ${JSON.stringify(name)} in the namespace ${namespace}`;
  if (names === undefined) return { message, cure: 'check the name and the namespace (-n)' };
  if (names.length === 0)
    return { message, cure: 'this namespace has no migrations: set -n, or list all with status -A' };
  const near = suggest(name, names);
  if (near !== undefined)
    return { message: `${message} (did you mean ${near}?)`, cure: `kubectl pmig status ${near} -n ${namespace}` };
  const some = names.toSorted().slice(0, 5).join(', ');
  return { message, cure: `there are ${some}${names.length > 5 ? ` and ${names.length - 5} more` : ''}` };
}
