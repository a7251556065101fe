// The module that the build has in place of message-types.ts writes the same bytes.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { type Bundled, bundle, bundledFiles } from '../../scripts/bundle.ts';
import { type MessageType, READ_REQUEST, SERIES_REQUEST } from '../../src/wire/message-types.ts';

describe('the compiled message types of a build', () => {
  let directory: string;
  let bundled: Bundled;
  let built: { readonly READ_REQUEST: MessageType; readonly SERIES_REQUEST: MessageType };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-proto-'));
    bundled = await bundle({ 'message-types': 'src/wire/message-types.ts' }, directory);
    built = await import(pathToFileURL(join(directory, 'message-types.js')).href);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  it('encode every field of a read request as protobufjs does from the schema', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 });
    const time = fc.maxSafeInteger();
    const matcher = fc.record({ type: fc.nat(3), name: text, value: text }, { requiredKeys: [] });
    const hints = fc.record(
      {
        stepMs: time,
        func: text,
        startMs: time,
        endMs: time,
        grouping: fc.array(text),
        by: fc.boolean(),
        rangeMs: time,
      },
      { requiredKeys: [] },
    );
    const matchers = fc.array(matcher, { maxLength: 5 });
    const query = fc.record({ startTimestampMs: time, endTimestampMs: time, matchers, hints }, { requiredKeys: [] });
    const request = fc.record({
      queries: fc.array(query, { maxLength: 3 }),
      acceptedResponseTypes: fc.array(fc.nat(1), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(request, (message) => {
        assert.deepEqual(
          Buffer.from(built.READ_REQUEST.encode(message).finish()),
          Buffer.from(READ_REQUEST.encode(message).finish()),
        );
      }),
    );
  });

  it('encode every field of a request to a StoreAPI as protobufjs does from the schema', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 });
    const time = fc.maxSafeInteger();
    const matcher = fc.record({ type: fc.nat(3), name: text, value: text }, { requiredKeys: [] });
    const request = fc.record(
      {
        minTime: time,
        maxTime: time,
        matchers: fc.array(matcher, { maxLength: 5 }),
        maxResolutionWindow: time,
        aggregates: fc.array(fc.nat(1)),
        partialResponseDisabled: fc.boolean(),
        partialResponseStrategy: fc.nat(1),
        skipChunks: fc.boolean(),
        withoutReplicaLabels: fc.array(text, { maxLength: 5 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(request, (message) => {
        assert.deepEqual(
          Buffer.from(built.SERIES_REQUEST.encode(message).finish()),
          Buffer.from(SERIES_REQUEST.encode(message).finish()),
        );
      }),
    );
  });

  it('contain neither the parser of schemas nor the compiler', () => {
    const used = [...bundledFiles(bundled)].filter((file) => file.startsWith('node_modules/protobufjs/'));
    assert.ok(used.includes('node_modules/protobufjs/src/writer.js'), used.join());
    assert.deepEqual(
      used.filter(
        (file) => !/\/(?:minimal|src\/(?:index-minimal|reader|writer|rpc|roots|util)(?:_buffer|\/.*)?)\.js$/.test(file),
      ),
      [],
    );
  });
});
