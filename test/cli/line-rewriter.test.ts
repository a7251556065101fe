import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { rewriteLines } from '../../src/cli/line-rewriter.ts';

describe('rewriteLines', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lines-'));
  after(() => rmSync(directory, { recursive: true }));

  it('makes some lines longer and keeps all others, whatever their length', () => {
    const line = fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 5 }), fc.constantFrom(0, 1, 100, 30_000, 65_535, 150_000))
      .map(([text, length]) => `${text.replaceAll('\n', '')}${'x'.repeat(length)}`);
    const change = (text: string) => (text.length % 2 === 0 ? `${text}, ä` : text);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const path = join(directory, 'file');
        const before = lines.map((text) => `${text}\n`).join('');
        const after = lines.map((text) => `${change(text)}\n`).join('');
        writeFileSync(path, before);
        const from = openSync(path, 'r');
        const to = openSync(path, 'r+');
        const bytes = Buffer.byteLength(before);
        rewriteLines({ from, to, bytes, growth: Buffer.byteLength(after) - bytes, change });
        closeSync(from);
        closeSync(to);
        assert.ok(readFileSync(path, 'utf8') === after);
      }),
    );
  });
});
