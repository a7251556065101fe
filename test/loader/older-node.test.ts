import assert from 'node:assert/strict';
import { addMissingBuiltins, isDetached, transferred } from '../../src/loader/older-node.ts';

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

describe('what an older Node lacks', () => {
  for (const [name, length, expected] of [
    ['the same', undefined, [1, 2, 3]],
    ['a greater', 5, [1, 2, 3, 0, 0]],
    ['a smaller', 2, [1, 2]],
    ['no', 0, []],
  ] as const) {
    it(`transfers a buffer to one of ${name} length, as a newer Node does`, () => {
      const [ours, native] = [bytes(1, 2, 3), bytes(1, 2, 3)];
      assert.deepEqual([...new Uint8Array(transferred(ours, length))], expected);
      assert.deepEqual([...new Uint8Array(native.transfer(length))], expected);
      assert.deepEqual([ours.detached, isDetached(ours)], [true, true]);
    });
  }

  it('does not count an empty buffer as detached', () => {
    for (const buffer of [bytes(), bytes(1)]) assert.equal(isDetached(buffer), buffer.detached);
  });

  it('is added where it is missing, and nowhere else', () => {
    const prototype = {} as ArrayBuffer;
    addMissingBuiltins(prototype);
    const buffer = Object.setPrototypeOf(bytes(1), prototype) as ArrayBuffer;
    assert.ok('detached' in prototype);
    assert.equal(typeof buffer.transfer, 'function');
    const { transfer } = ArrayBuffer.prototype;
    addMissingBuiltins();
    assert.equal(ArrayBuffer.prototype.transfer, transfer);
  });

  it('includes URL.parse', () => {
    const native = Object.getOwnPropertyDescriptor(URL, 'parse');
    assert.ok(native !== undefined && Reflect.deleteProperty(URL, 'parse'));
    try {
      addMissingBuiltins();
      assert.equal(URL.parse('http://a/b')?.pathname, '/b');
      assert.equal(URL.parse('c', 'http://a/b/')?.pathname, '/b/c');
      assert.equal(URL.parse('no URL'), null);
    } finally {
      Object.defineProperty(URL, 'parse', native);
    }
  });
});
