// RE2JS, a port of the API server's library, is the reference.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import { toJavaScriptPattern } from '../../src/api/rule-pattern.ts';

const patterns = new Set(
  Object.keys(COMPILED_CRD.expressions).flatMap((rule) =>
    [...rule.matchAll(/matches\('((?:[^'\\]|\\.)*)'\)/g)].map(([, literal = '']) => literal.replaceAll('\\\\', '\\')),
  ),
);

describe('the patterns of the rules', () => {
  it('are found in the CRD', () => assert.ok(patterns.size > 10, `${patterns.size}`));

  for (const pattern of [...patterns, 'a\\s*b', '[^\\s\\]x]+', '\\\\s', '[\\\\s]', 'a{2,3}|\\.\\$$', '^[\\t-]$']) {
    it(`match the same texts in JavaScript as in RE2: ${pattern}`, () => {
      const re2 = RE2JS.compile(pattern);
      const ours = new RegExp(toJavaScriptPattern(pattern), 'u');
      const letters = [...new Set([...pattern, ...'aZ09 hms:/?#@.-_*\t\n\v\f\r\u00a0\u2028\ufeffä😀'])];
      const near = fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
      fc.assert(
        fc.property(fc.oneof(near, fc.string({ unit: 'binary', maxLength: 8 })), (text) => {
          assert.equal(ours.test(text), re2.matcher(text).find(), JSON.stringify(text));
        }),
        { numRuns: 2000 },
      );
    });
  }

  for (const pattern of [
    'a.b',
    '\\d',
    '\\w+',
    '(?i)a',
    '(?:a)',
    '\\bA',
    '[[:alpha:]]',
    'é',
    '\\pL',
    'a**',
    '[a',
    '(a',
    '{2}',
    ']',
    '[\\d]',
  ]) {
    it(`are rejected when JavaScript could understand them differently: ${pattern}`, () => {
      assert.throws(() => toJavaScriptPattern(pattern));
    });
  }
});
