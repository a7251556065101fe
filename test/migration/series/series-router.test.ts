import assert from 'node:assert/strict';
import { SeriesRouter } from '../../../src/migration/series/series-router.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { hashLabels } from '../../../src/wire/label-hash.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { startDestination } from '../support/fake-destination.ts';
import { startSource } from '../support/fake-source.ts';
import { epochMs, minuteMs, planFor, run, unaccounted } from '../support/plan.ts';
import { bitsOf, chunk, field, frame } from '../support/remote-messages.ts';

type Text = string | Uint8Array;

/** A label entry of any bytes. */
function label(name: Text, value: Text): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]));
}

const notUtf8 = Uint8Array.of(0x61, 0xff, 0x62);
/** An overlong slash: two bytes for a one-byte character. */
const overlong = Uint8Array.of(0xc0, 0xaf);
const surrogate = Uint8Array.of(0xed, 0xa0, 0x80);
const name = label('__name__', 'up');

describe('a series that is written unchanged', () => {
  const router = new SeriesRouter({ relabelings: [], externalLabels: {} }, 1024);

  const good: Record<string, Uint8Array> = {
    'plain text': encodeLabels([
      ['__name__', 'up'],
      ['job', 'node'],
    ]),
    'characters of every UTF-8 length': encodeLabels([
      ['__name__', 'grüße'],
      ['ключ', '値 🙂'],
    ]),
    'a value longer than 127 bytes': encodeLabels([
      ['__name__', 'up'],
      ['path', 'x'.repeat(1000)],
    ]),
    'a label that sorts before the name': encodeLabels([
      ['A', 'ü'],
      ['__name__', 'up'],
    ]),
  };
  for (const [title, labels] of Object.entries(good)) {
    it(`has ${title}`, () => {
      assert.deepEqual(router.route(labels), { kind: 'write', labels, hash: hashLabels(labels) });
    });
  }

  const bad: Record<string, [region: Uint8Array, problem: RegExp]> = {
    'a value that is not UTF-8': [Buffer.concat([name, label('job', notUtf8)]), /not valid UTF-8/],
    'a name that is not UTF-8': [Buffer.concat([name, label(notUtf8, 'x')]), /not valid UTF-8/],
    'a metric name that is not UTF-8': [label('__name__', notUtf8), /not valid UTF-8/],
    'an overlong encoding': [Buffer.concat([name, label('job', overlong)]), /not valid UTF-8/],
    'a surrogate': [Buffer.concat([name, label('job', surrogate)]), /not valid UTF-8/],
    'one character split between the end of one value and the start of the next': [
      Buffer.concat([name, label('a', Uint8Array.of(0xc3)), label('b', Uint8Array.of(0xbc))]),
      /not valid UTF-8/,
    ],
    'an empty label name': [Buffer.concat([label('', 'x'), name]), /empty name/],
    'no metric name': [label('job', 'node'), /__name__/],
    'an empty metric name': [Buffer.concat([label('__name__', ''), label('job', 'node')]), /__name__/],
    'a metric name only inside a value': [label('a', Buffer.from(name)), /__name__/],
    'one name with two values': [Buffer.concat([name, label('a', '1'), label('a', '2')]), /two values/],
  };
  for (const [title, [region, problem]] of Object.entries(bad)) {
    it(`is not sent with ${title}`, () => {
      const route = router.route(region);
      assert.equal(route.kind, 'invalid');
      if (route.kind === 'invalid') assert.match(route.problem, problem);
    });
  }
});

describe('a label value that is not UTF-8', () => {
  for (const relabelings of [false, true]) {
    it(`is counted as invalid_labels and reported, never sent, with${relabelings ? '' : 'out'} relabelings`, async () => {
      const samples = [{ timeMs: epochMs, bits: bitsOf(1) }];
      const data = chunk(epochMs, epochMs, 1, encodeXorChunk(samples));
      const frames = [label('job', 'good'), label('job', notUtf8)].map((job) =>
        frame(field(1, Buffer.concat([name, job, data]))),
      );
      await using source = await startSource([]);
      source.onQuery = ({ startMs }) =>
        startMs > epochMs
          ? undefined
          : {
              contentType: 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
              body: Buffer.concat(frames),
            };
      await using destination = await startDestination();
      const plan = planFor(
        { source, destination },
        {
          endMs: epochMs + 5 * minuteMs,
          rejectedSamples: 'Skip',
          externalLabels: relabelings ? { cluster: 'a' } : {},
        },
      );
      const { progress, error, observer } = await run(plan);
      assert.equal(error, undefined);
      assert.equal(progress.samplesWritten, 1);
      assert.deepEqual(progress.samplesRejected, { invalid_labels: 1 });
      assert.equal(unaccounted(progress), 0);
      const sent = destination.accepted.filter(({ isMark }) => !isMark).flatMap(({ series }) => series);
      assert.deepEqual(
        sent.map(({ labels }) => new Map(labels).get('job')),
        ['good'],
      );
      const [rejected] = observer.all('rejected');
      assert.match(rejected?.response ?? '', /not valid UTF-8/);
      assert.match(rejected?.example?.labels ?? '', /job="a\ufffdb"/);
    });
  }
});
