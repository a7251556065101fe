import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  INTERRUPTED,
  MAX_TERMINATION_BYTES,
  parseTerminationText,
  type TerminationMessage,
  terminationText,
} from '../../../src/migration/report/termination-message.ts';

function written(message: TerminationMessage): TerminationMessage {
  const text = terminationText(message);
  assert.ok(Buffer.byteLength(text) <= MAX_TERMINATION_BYTES, `${Buffer.byteLength(text)} bytes`);
  const read = parseTerminationText(text);
  assert.ok(read !== undefined, text);
  return read;
}

describe('the termination message of a pod', () => {
  it('is read as it was written', () => {
    const message = { code: 'unauthorized', side: 'source', message: 'the response was 401', hint: 'set a "token"' };
    assert.deepEqual(written(message), message);
    assert.equal(terminationText(INTERRUPTED), '{"code":"interrupted"}');
  });

  it('keeps code, side and hint when the message is too long', () => {
    const long = { code: 'samples-rejected', side: 'destination', message: 'é"\n'.repeat(5000), hint: 'raise it' };
    const { message = '', ...others } = written(long);
    assert.deepEqual(others, { code: 'samples-rejected', side: 'destination', hint: 'raise it' });
    assert.match(message, /^(é"\n){500,}/);
    const alone = { code: 'internal', message: 'ß'.repeat(1900), hint: '\u{1F600}'.repeat(900) };
    const { hint = '', message: kept } = written(alone);
    assert.match(hint, /^\u{1F600}{200,}…$/u);
    assert.match(kept ?? '', /^ß{1000,}…$/);
  });

  it('fits and is valid for every text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3000 });
    fc.assert(
      fc.property(text, text, fc.string(), (message, hint, code) => {
        written({ code: `a${code.repeat(20)}`, side: code, message, hint });
      }),
      { numRuns: 40 },
    );
  });

  it('hides the secrets of URLs', () => {
    const text = terminationText({
      code: 'internal',
      message: 'GET https://user:hunter2@host/api?p=hunter2 failed',
      hint: 'see https://user:hunter2@host/',
    });
    assert.ok(text.includes('host'));
    assert.ok(!text.includes('hunter2'), text);
  });

  it('is not read from a log or from other JSON', () => {
    for (const text of ['', 'FATAL ERROR: heap out of memory', '{"code":1}', '{"code":""}', 'null', '[]', '7', '{}']) {
      assert.equal(parseTerminationText(text), undefined, text);
    }
    assert.deepEqual(parseTerminationText('{"code":"a","side":1,"message":null,"hint":{}}'), { code: 'a' });
  });
});
