import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProgressBar } from '../../src/cli/progress-bar.ts';
import { renderProgress } from '../../src/cli/progress-line.ts';
import type { ProgressView } from '../../src/cli/progress-view.ts';
import { FakeOutput } from './fake-io.ts';

const plain = { colour: false, unicode: false };
const view: ProgressView = {
  ratio: 0.4239,
  throughMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  samples: 12_400_000,
  samplesPerSecond: 1_800_000,
  windowMs: 7_200_000,
  waitingFor: 'source',
  etaMs: 200_000,
};

describe('the progress line', () => {
  const widths: [number, string][] = [
    [
      140,
      ' 42.3% ############..................  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s  waiting for source',
    ],
    [
      119,
      ' 42.3% #######...........  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s  waiting for source',
    ],
    [100, ' 42.3%  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s  waiting for source'],
    [84, ' 42.3%  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s'],
    [70, ' 42.3%  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  ETA 3m20s'],
    [50, ' 42.3%  through 2026-01-02 03:04:05  ETA 3m20s'],
    [20, ' 42.3%  ETA 3m20s'],
    [8, ' 42.3%'],
    [3, ' 42'],
  ];
  for (const [width, line] of widths) {
    it(`at ${width} columns`, () => assert.equal(renderProgress(view, width, plain), line));
  }

  it('before the range is known', () => {
    const starting = {
      ...view,
      ratio: 0,
      throughMs: undefined,
      samples: 0,
      samplesPerSecond: 0,
      windowMs: 0,
      etaMs: undefined,
      waitingFor: 'progress mark',
    };
    assert.equal(
      renderProgress(starting, 100, plain),
      '  0.0% ..............................  starting  0 samples  0/s  waiting for progress mark',
    );
  });

  it('with block characters and colours', () => {
    assert.equal(
      renderProgress({ ...view, waitingFor: '' }, 105, { colour: true, unicode: true }),
      ' 42.3% \u001b[36m━━━━━━━━━━\u001b[0m\u001b[2m──────────────\u001b[0m  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s',
    );
  });

  it('truncates the reason for waiting, and strips its control characters', () => {
    const waitingFor = `retry of destination in 4s: \u001b[31m${'503 '.repeat(50)}`;
    const line = renderProgress({ ...view, waitingFor }, 140, plain);
    assert.ok(line.includes('waiting for retry of destination in 4s: \\u001b[31m503'));
    assert.ok(line.endsWith('...'));
    assert.ok(line.length <= 140);
  });

  it('fits any width, whatever its contents', () => {
    const anyView = fc.record({
      ratio: fc.double({ min: 0, max: 1, noNaN: true }),
      throughMs: fc.option(fc.integer({ min: -1e12, max: 1e14 }), { nil: undefined }),
      samples: fc.nat(),
      samplesPerSecond: fc.double({ min: 0, max: 1e9, noNaN: true }),
      windowMs: fc.nat(),
      waitingFor: fc.string({ unit: 'grapheme', maxLength: 200 }),
      etaMs: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(anyView, fc.integer({ min: 1, max: 300 }), fc.boolean(), (some, width, unicode) => {
        const line = renderProgress(some, width, { colour: false, unicode });
        assert.ok([...line].length <= width, line);
        assert.ok(!/\p{Cc}/u.test(line));
      }),
    );
  });

  it('leaves the last column free, erases itself and is redrawn below a log line', () => {
    const output = new FakeOutput(true, 80);
    const bar = new ProgressBar(output, plain);
    bar.printAbove('before');
    bar.draw(view);
    bar.printAbove('between');
    bar.clear();
    bar.clear();
    const line = renderProgress(view, 79, plain);
    assert.equal(output.text, `before\n\r${line}\u001b[K\r\u001b[Kbetween\n${line}\r\u001b[K`);
  });
});
