import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CRD_FILE } from '../../src/api/crd.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { fakeIo } from './fake-io.ts';

const noEngine = () => Promise.reject(new Error('the engine must not be needed'));

describe('the commands that only print', () => {
  it('print the CustomResourceDefinition, byte for byte', async () => {
    const io = fakeIo();
    assert.equal(await runCommandLine(['crds'], io, noEngine), 0);
    assert.equal(io.stdout.text, readFileSync(CRD_FILE, 'utf8'));
    assert.equal(io.stderr.text, '');
  });

  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`print a script for ${shell}`, async () => {
      const io = fakeIo();
      assert.equal(await runCommandLine(['completion', shell], io, noEngine), 0);
      assert.match(io.stdout.text, new RegExp(`^#(compdef| ${shell} completion of) prom-migrator\\b`));
    });
  }
});
