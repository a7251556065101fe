import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { streamOutput } from '../../src/cli/io.ts';

/** A process stream that accepts some writes and then fails. */
function stream(takes: number, code: string) {
  const written: string[] = [];
  const writable = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      if (chunk !== '' && written.length === takes) done(Object.assign(new Error(`${code}: failed`), { code }));
      else {
        if (chunk !== '') written.push(chunk);
        setImmediate(done);
      }
    },
  });
  return { written, output: streamOutput(writable as unknown as NodeJS.WriteStream) };
}

describe('a process output', () => {
  it('is flushed when everything has been written', async () => {
    const { written, output } = stream(5, 'EPIPE');
    output.write('a');
    output.write('b');
    assert.equal(await output.flushed(), undefined);
    assert.deepEqual(written, ['a', 'b']);
  });

  it('ignores a closed pipe without an error', async () => {
    const { written, output } = stream(1, 'EPIPE');
    for (const text of ['a', 'b', 'c']) output.write(text);
    assert.equal(await output.flushed(), undefined);
    output.write('d');
    assert.equal(await output.flushed(), undefined);
    assert.deepEqual(written, ['a']);
  });

  it('reports any other failure', async () => {
    const { output } = stream(0, 'ENOSPC');
    output.write('a');
    assert.equal((await output.flushed())?.message, 'ENOSPC: failed');
    assert.equal((await output.flushed())?.message, 'ENOSPC: failed');
  });

  it('defaults to 80 columns', () => {
    assert.equal(stream(0, 'x').output.columns(), 80);
    assert.equal(stream(0, 'x').output.isTTY, false);
  });
});
