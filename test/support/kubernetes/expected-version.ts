// A run of the tests on a Kubernetes that is not the usual one: programs from elsewhere, and a check that they are what runs.

import { environmentVariable } from '../install.ts';
import { KUBERNETES } from '../server-sources.ts';

/** The environment variable with the version that every cluster must have. */
const EXPECTED = 'EXPECTED_KUBERNETES';

interface Program {
  readonly path: string;
  readonly version: string;
}

/** The environment in which the tests use these programs. */
export function environmentWith(
  { apiServer, controllerManager }: { readonly apiServer: Program; readonly controllerManager: Program },
  environment: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  // It would have precedence.
  const { KUBEBUILDER_ASSETS: _, ...others } = environment;
  return {
    ...others,
    [environmentVariable('kube-apiserver', KUBERNETES)]: apiServer.path,
    [environmentVariable('kube-controller-manager', KUBERNETES)]: controllerManager.path,
    [EXPECTED]: apiServer.version,
  };
}

/** @param gitVersion what the API server reports: `v1.36.3` */
export function checkVersion(gitVersion: string | undefined, environment: NodeJS.ProcessEnv = process.env): void {
  const expected = environment[EXPECTED];
  if (expected === undefined || gitVersion === `v${expected}`) return;
  throw new Error(`the API server is Kubernetes ${gitVersion}, but ${EXPECTED} is ${expected}`);
}
