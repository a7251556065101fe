import assert from 'node:assert/strict';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { SeriesTally } from '../../../src/migration/verify/sample-comparison.ts';
import { WindowOutcome } from '../../../src/migration/verify/window-outcome.ts';

function missing(samples: number): SeriesTally {
  const tally = new SeriesTally();
  tally.samples = samples;
  tally.missing = samples;
  return tally;
}

describe('what the comparison of a window has found', () => {
  it('is looked at again once for each range, however many parts its response had', () => {
    const outcome = new WindowOutcome();
    const labels = (name: string) => [encodeLabels([['__name__', name]])];
    for (const [i, [fromMs, toMs]] of [
      [0, 100],
      [0, 100],
      [0, 100],
      [100, 200],
    ].entries()) {
      outcome.begin({ fromMs: fromMs!, toMs: toMs! });
      outcome.defer(i, missing(2), labels(`metric_${i}`));
    }
    assert.deepEqual(
      outcome.differing.map(({ fromMs, toMs, names, missing: lost }) => ({ fromMs, toMs, names, lost })),
      [
        { fromMs: 0, toMs: 100, names: new Set(['metric_0', 'metric_1', 'metric_2']), lost: 6 },
        { fromMs: 100, toMs: 200, names: new Set(['metric_3']), lost: 2 },
      ],
    );
  });
});
