// Which endpoints the operator itself would reach with the identity of its own pod. Pure.

import type { AzureAd, SigV4 } from '../api/prom-migration-endpoint.ts';
import type { PromMigration } from '../api/prom-migration.ts';

interface Fields {
  readonly basicAuth?: unknown;
  readonly authorization?: unknown;
  readonly oauth2?: unknown;
  readonly sigv4?: SigV4;
  readonly azureAd?: AzureAd;
}

/**
 * The fields that use the identity of the pod which copies, for endpoints that the operator's own pod reaches: all of them with mode
 * InProcess and in a verification; only the progress if a Job copies, because that is where it is followed. And those that use the identity of
 * the node, in any pod.
 */
export function ambientFields({ spec }: PromMigration): string[] {
  const { source, destination, execution, verification } = spec;
  const { progress } = destination;
  const ofSource = ambientField(source, 'spec.source');
  const ofDestination = ambientField(destination, 'spec.destination');
  const ofProgress = hasCredentials(progress) ? ambientField(progress, 'spec.destination.progress') : ofDestination;
  const read = progress.protocol === 'None' ? undefined : ofProgress;
  const isElsewhere = execution.mode === 'Job' && verification.mode === 'Off';
  // A managed identity is that of the node, whichever pod asks for it.
  const ofNode = [ofSource, ofDestination].filter((field) => field?.endsWith('.managedIdentity'));
  const used = isElsewhere ? [...ofNode, read] : [ofSource, ofDestination, read];
  return [...new Set(used.filter((field) => field !== undefined))];
}

function ambientField({ sigv4, azureAd }: Fields, path: string): string | undefined {
  if (sigv4 !== undefined && sigv4.accessKey === undefined) return `${path}.sigv4`;
  if (azureAd?.managedIdentity !== undefined) return `${path}.azureAd.managedIdentity`;
  if (azureAd?.workloadIdentity !== undefined) return `${path}.azureAd.workloadIdentity`;
  return undefined;
}

function hasCredentials({ basicAuth, authorization, oauth2, sigv4, azureAd }: Fields): boolean {
  return [basicAuth, authorization, oauth2, sigv4, azureAd].some((one) => one !== undefined);
}
