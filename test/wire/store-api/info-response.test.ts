// What a component of Thanos says about itself, as another implementation of protobuf writes it.
import assert from 'node:assert/strict';
import protobuf from 'protobufjs';
import { readOldStoreInfo, readStoreInfo } from '../../../src/wire/store-api/info-response.ts';

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Label { string name = 1; string value = 2; }
  message Set { repeated Label labels = 1; }
  message Tsdb { Set labels = 1; int64 min = 2; int64 max = 3; }
  message Store { int64 min = 1; int64 max = 2; bool sharding = 3; repeated Tsdb tsdbs = 6; }
  message Info { repeated Set sets = 1; string component = 2; Store store = 3; Store rules = 4; Store query = 8; }
  message EarlierStore { int64 min = 1; int64 max = 2; int64 guaranteed_min = 6; }
  message Earlier { repeated Set sets = 1; string component = 2; EarlierStore store = 3; }
  message Old { repeated Label labels = 1; int64 min = 2; int64 max = 3; int32 type = 4; repeated Set sets = 5; }`,
  { keepCase: true },
);

function encoded(type: string, message: object): Uint8Array {
  const found = root.lookupType(type);
  return new Uint8Array(found.encode(found.fromObject(message)).finish());
}

const LABELS = [
  { name: 'replica', value: 'b' },
  { name: 'cluster', value: 'a"' },
];
const PAIRS = [
  ['cluster', 'a"'],
  ['replica', 'b'],
];

describe('the Info API of Thanos', () => {
  it('has the component, its range, and its data by external labels', () => {
    const tsdbs = [{ labels: { labels: LABELS }, min: 5, max: 1_740_000_000_000 }];
    const store = { min: '-9223372036854775808', max: '9223372036854775807', sharding: true, tsdbs };
    const compatible = { labels: [{ name: '@thanos_compatibility_store_type', value: 'store' }] };
    const info = readStoreInfo(
      encoded('Info', { sets: [{ labels: LABELS }, compatible], component: 'Query', store, rules: {}, query: {} }),
    );
    assert.deepEqual(info, {
      component: 'query',
      range: { minMs: -(2 ** 63), maxMs: 2 ** 63 },
      labelSets: [PAIRS],
      stored: [{ labels: PAIRS, minMs: 5, maxMs: 1_740_000_000_000 }],
    });
  });

  it('says so if a component serves no StoreAPI, or has nothing to say', () => {
    assert.equal(readStoreInfo(encoded('Info', { component: 'query' })).range, undefined);
    assert.deepEqual(readStoreInfo(new Uint8Array(0)), { component: '', range: undefined, labelSets: [], stored: [] });
  });

  it('has another field in place of the data in some releases', () => {
    const store = { min: 5, max: 6, guaranteed_min: 1_740_000_000_000 };
    const info = readStoreInfo(encoded('Earlier', { sets: [{ labels: LABELS }], component: 'query', store }));
    assert.deepEqual(info, { component: 'query', range: { minMs: 5, maxMs: 6 }, labelSets: [PAIRS], stored: [] });
  });

  it('was a part of the StoreAPI in old releases', () => {
    const info = readOldStoreInfo(
      encoded('Old', { labels: LABELS, type: 1, min: 7, max: 9, sets: [{ labels: LABELS }] }),
    );
    assert.deepEqual(info, { component: 'query', range: { minMs: 7, maxMs: 9 }, labelSets: [PAIRS], stored: [] });
  });

  it('is refused if it is cut', () => {
    const bytes = encoded('Info', { component: 'query', store: { min: 1, max: 1_740_000_000_000 } });
    assert.throws(() => readStoreInfo(bytes.subarray(0, bytes.length - 1)), /message|bytes/);
  });
});
