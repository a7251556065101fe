import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProgressBar } from '../../src/cli/progress-bar.ts';
import { renderProgress, renderStretches } from '../../src/cli/progress-line.ts';
import type { ProgressView } from '../../src/cli/progress-view.ts';
import { FakeOutput } from './fake-io.ts';
import { FakeTerminal } from './fake-terminal.ts';

const plain = { colour: false, unicode: false };
const view: ProgressView = {
  ratio: 0.4239,
  throughMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  samples: 12_400_000,
  samplesPerSecond: 1_800_000,
  windowMs: 7_200_000,
  waitingFor: 'source',
  heldToPerSecond: undefined,
  etaMs: 200_000,
  stretches: undefined,
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

  it('names the limit of the destination instead of what a request waits for', () => {
    const held = { ...view, waitingFor: 'retry of destination in 1 s: ingestion-limited', heldToPerSecond: 24_600 };
    assert.equal(
      renderProgress(held, 140, plain),
      " 42.3% #######..........  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  window 2h  ETA 3m20s  held by the destination's limit, 24.6k/s",
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
      heldToPerSecond: fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }),
      etaMs: fc.option(fc.nat(), { nil: undefined }),
      stretches: fc.option(
        fc.record({ total: fc.nat(), finished: fc.nat(), running: fc.constant([]), failed: fc.constant([]) }),
        {
          nil: undefined,
        },
      ),
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

const hourMs = 3_600_000;

/** Stretches of 16 hours; each is further by a tenth than the one after it. */
function runningStretches(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const startMs = Date.UTC(2026, 0, 1) + index * 16 * hourMs;
    return { startMs, endMs: startMs + 16 * hourMs, completedRatio: Math.max(0, 9 - index) / 10 };
  });
}

function divided(running: number): ProgressView {
  return { ...view, stretches: { total: 256, finished: 12, running: runningStretches(running), failed: [] } };
}

describe('the progress line of a range in stretches', () => {
  for (const [width, line] of [
    [
      150,
      ' 42.3% ############..................  through 2026-01-02 03:04:05  12/256 stretches  12.4M samples  1.8M/s  window 2h  ETA 3m20s  waiting for source',
    ],
    [93, ' 42.3%  through 2026-01-02 03:04:05  12/256 stretches  12.4M samples  1.8M/s  ETA 3m20s'],
    [80, ' 42.3% ####......  through 2026-01-02 03:04:05  12.4M samples  1.8M/s  ETA 3m20s'],
  ] as const) {
    it(`at ${width} columns`, () => assert.equal(renderProgress(divided(2), width, plain), line));
  }
});

describe('the lines of the running stretches', () => {
  const lines = (running: number, width = 80, height = 22, style = plain) =>
    renderStretches(runningStretches(running), { width, height }, style);

  it('show the range, a bar and the percentage of each', () => {
    assert.deepEqual(lines(2), [
      '   90.0% #########.  2026-01-01 00:00 to 2026-01-01 16:00',
      '   80.0% ########..  2026-01-01 16:00 to 2026-01-02 08:00',
    ]);
  });

  it('have colours and block characters where the terminal has them', () => {
    assert.deepEqual(lines(1, 80, 22, { colour: true, unicode: true }), [
      '   90.0% \u001b[36m━━━━━━━━━\u001b[0m\u001b[2m─\u001b[0m  2026-01-01 00:00 to 2026-01-01 16:00',
    ]);
  });

  it('omit the bar and then the end on a narrow terminal', () => {
    assert.deepEqual(lines(1, 55), ['   90.0%  2026-01-01 00:00 to 2026-01-01 16:00']);
    assert.deepEqual(lines(1, 45), ['   90.0%  2026-01-01 00:00']);
    assert.deepEqual(lines(1, 8), ['   90.0%']);
    assert.deepEqual(lines(1, 0), ['']);
  });

  it('are at most eight, and count the others', () => {
    assert.equal(lines(8).length, 8);
    assert.equal(lines(13).length, 9);
    assert.equal(lines(13).at(-1), '  ... and 5 more');
    assert.equal(lines(13, 80, 22, { colour: false, unicode: true }).at(-1), '  … and 5 more');
  });

  it('are as many as the height allows', () => {
    assert.deepEqual(
      [5, 4, 3, 2, 1, 0, -3].map((height) => lines(4, 80, height).length),
      [4, 4, 3, 2, 0, 0, 0],
    );
    assert.equal(lines(4, 80, 3).at(-1), '  ... and 2 more');
  });

  it('show seconds where a stretch does not begin at a full minute', () => {
    const startMs = Date.UTC(2026, 0, 1, 0, 0, 7);
    const running = [{ startMs, endMs: startMs + 53_000, completedRatio: 0 }];
    assert.deepEqual(renderStretches(running, { width: 80, height: 5 }, plain), [
      '    0.0% ..........  2026-01-01 00:00:07 to 2026-01-01 00:01',
    ]);
  });
});

describe('the progress of stretches on a terminal', () => {
  const shown = (width: number, progress: ProgressView, height = 24) => [
    renderProgress(progress, width - 1, plain),
    ...renderStretches(progress.stretches?.running ?? [], { width: width - 1, height: height - 2 }, plain),
  ];

  it('is redrawn in place while stretches come and go, below the log, and leaves nothing behind', () => {
    const terminal = new FakeTerminal(100, 24);
    const bar = new ProgressBar(terminal, plain);
    bar.printAbove('first');
    for (const running of [1, 4, 13, 2, 0, 3]) {
      bar.draw(divided(running));
      assert.deepEqual(terminal.screen, ['first', ...shown(100, divided(running))]);
    }
    bar.printAbove('second');
    assert.deepEqual(terminal.screen, ['first', 'second', ...shown(100, divided(3))]);
    bar.draw(view);
    assert.deepEqual(terminal.screen, ['first', 'second', ...shown(100, view)]);
    bar.draw(divided(5));
    bar.clear();
    bar.clear();
    assert.deepEqual(terminal.screen, ['first', 'second', '']);
    bar.printAbove('third');
    assert.deepEqual(terminal.screen, ['first', 'second', 'third', '']);
  });

  for (const [from, to] of [
    [100, 40],
    [100, 9],
    [40, 100],
    [100, 57],
  ] as const) {
    it(`is redrawn in place after a resize from ${from} to ${to} columns`, () => {
      const terminal = new FakeTerminal(from, 60);
      const bar = new ProgressBar(terminal, plain);
      bar.printAbove('log');
      bar.draw(divided(3));
      terminal.resize(to, 60);
      bar.draw(divided(3));
      assert.deepEqual(terminal.screen, ['log', ...shown(to, divided(3))]);
      terminal.resize(from, 60);
      bar.printAbove('more');
      assert.deepEqual(terminal.screen, ['log', 'more', ...shown(from, divided(3))]);
      terminal.resize(to, 60);
      bar.clear();
      assert.deepEqual(terminal.screen, ['log', 'more', '']);
    });
  }

  it('fits a terminal of few rows, also if it becomes lower', () => {
    const terminal = new FakeTerminal(100, 9);
    const bar = new ProgressBar(terminal, plain);
    bar.printAbove('log');
    bar.draw(divided(12));
    assert.deepEqual(terminal.screen, ['log', ...shown(100, divided(12), 9)]);
    assert.equal(terminal.screen.length, 9);
    bar.draw(divided(11));
    assert.deepEqual(terminal.screen, ['log', ...shown(100, divided(11), 9)]);
    bar.clear();
    terminal.resize(100, 2);
    bar.draw(divided(12));
    assert.deepEqual(terminal.screen, ['log', ...shown(100, divided(12), 2)]);
  });
});
