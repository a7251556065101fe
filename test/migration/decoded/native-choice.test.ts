import assert from 'node:assert/strict';
import { NativeChoice } from '../../../src/migration/decoded/native-choice.ts';
import { RemoteError } from '../../../src/remote/meaning/remote-error.ts';

const failure = (code: RemoteError['code'], status: number) =>
  new RemoteError({ class: 'refused', code, side: 'progress', status, what: code });

describe('the choice of an export of VictoriaMetrics', () => {
  it('is JSON in the same attempt only if nothing has arrived', () => {
    const absent = new NativeChoice();
    assert.equal(absent.failed(failure('export-not-offered', 404)), 'read-as-json');
    assert.equal(absent.choose(), false);
    const large = new NativeChoice();
    assert.equal(large.failed(failure('response-too-large', 200)), 'read-again');
    assert.equal(large.choose(), false);
  });

  it('is JSON for some ranges after a native export that never worked has failed three times', () => {
    const choice = new NativeChoice();
    for (let i = 0; i < 3; i++) {
      assert.equal(choice.choose(), true);
      assert.equal(choice.failed(failure('bad-gateway', 502)), 'fail');
    }
    assert.equal(choice.choose(), false);
  });

  it('stays with a native export that has worked, whatever fails', () => {
    const choice = new NativeChoice();
    choice.succeeded({ samplesDecoded: 1, samplesInRange: 1, series: 1, seriesInPieces: 0 });
    for (let i = 0; i < 5; i++) choice.failed(failure('bad-gateway', 502));
    assert.equal(choice.choose(), true);
  });

  it('is JSON for blocks that do not fit only if the range is a small part of them', () => {
    const choice = new NativeChoice();
    choice.didNotFit({ samplesDecoded: 1600, samplesInRange: 100 });
    assert.equal(choice.choose(), true);
    choice.didNotFit({ samplesDecoded: 1601, samplesInRange: 100 });
    assert.equal(choice.choose(), false);
  });

  it('is JSON for a small part of the blocks only if the range cannot become longer', () => {
    const experience = { samplesDecoded: 3200, samplesInRange: 100, series: 1, seriesInPieces: 0 };
    const choice = new NativeChoice();
    choice.succeeded({ ...experience, samplesInLongest: 200 });
    assert.equal(choice.choose(), true);
    choice.succeeded({ ...experience, samplesInLongest: 199 });
    assert.equal(choice.choose(), false);
  });
});
