// `npm run test:oldest` tests the version that it announces.
import assert from 'node:assert/strict';
import { checkVersion, environmentWith } from './expected-version.ts';

describe('a run of the tests on another Kubernetes', () => {
  const apiServer = { path: '/oldest/kube-apiserver', version: '1.30.14' };
  const controllerManager = { path: '/oldest/kube-controller-manager', version: '1.30.14' };
  const environment = environmentWith(
    { apiServer, controllerManager },
    { HOME: '/home', KUBEBUILDER_ASSETS: '/other' },
  );

  it('uses its programs, and not those of KUBEBUILDER_ASSETS', () => {
    assert.deepEqual(environment, {
      HOME: '/home',
      KUBE_APISERVER_1_36: apiServer.path,
      KUBE_CONTROLLER_MANAGER_1_36: controllerManager.path,
      EXPECTED_KUBERNETES: '1.30.14',
    });
  });

  it('fails with an API server of a different version', () => {
    checkVersion('v1.30.14', environment);
    for (const other of ['v1.36.3', 'v1.30.1', undefined]) {
      assert.throws(() => checkVersion(other, environment), /is Kubernetes .*, but EXPECTED_KUBERNETES is 1\.30\.14/);
    }
  });

  it('accepts any version otherwise', () => checkVersion('v1.36.3', {}));
});
