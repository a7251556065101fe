// `npm run test:oldest`: tests of the operator on the oldest Kubernetes that it supports, which test/support/go/kubernetes-oldest pins. Not a
// part of `npm test`, because its API server and controller manager take minutes to build. Arguments are passed on to mocha.

import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { buildGoProgram } from '../test/support/go-programs.ts';
import { environmentWith } from '../test/support/kubernetes/expected-version.ts';

const root = resolve(import.meta.dirname, '..');
const TESTS = ['schema', 'schema-edits', 'admission-policy', 'install-manifest', 'upgrade', 'job-mode'];

const progress = (text: string) => process.stderr.write(`test servers: ${text}\n`);
const apiServer = await buildGoProgram('oldest-kube-apiserver', progress);
const controllerManager = await buildGoProgram('oldest-kube-controller-manager', progress);
process.stdout.write(`Kubernetes ${apiServer.version}\n`);
const child = spawn(
  process.execPath,
  [
    join(root, 'node_modules/mocha/bin/mocha.js'),
    ...['--config', 'test/mocharc.real.json'],
    ...TESTS.map((name) => `test/real-kubernetes/${name}.test.ts`),
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: environmentWith({ apiServer, controllerManager }, process.env),
  },
);
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
