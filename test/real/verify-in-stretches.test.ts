// A migration in stretches that is verified in stretches, in threads, and what `verify` then finds and repairs in the same way.
import assert from 'node:assert/strict';
import { pushSamples } from '../support/load.ts';
import { request } from '../support/http.ts';
import { bitsOf, labelText, type SeriesSamples } from '../support/series-set.ts';
import { runMigration } from './support/migration.ts';
import { HOUR_MS, SlowCopy, START_MS, VICTORIA_METRICS } from './support/slow-copy.ts';
import { runVerification } from './support/verification.ts';

const HOURS = 10;
const SETTLE = '2s';

describe('a verification in stretches', () => {
  it('follows a copy in stretches, finds what is lost and changed afterwards, and writes what is missing', async () => {
    await using copy = await SlowCopy.start(HOURS);
    await using server = await VICTORIA_METRICS.start();
    const execution = { parallelism: 4 };
    const specWith = (verification: object) =>
      copy.spec(VICTORIA_METRICS, server, {
        ordering: 'Any',
        execution,
        verification: { settle: SETTLE, ...verification },
      });
    const samples = copy.countCopied(VICTORIA_METRICS);

    const copied = await runMigration(specWith({ mode: 'Full' }));
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal(copied.result.samplesWritten, samples);
    const equal = await runVerification(specWith({}));
    assert.equal(equal.exitCode, 0, equal.stderr);
    assert.deepEqual([equal.result.samplesCompared, equal.differences.length], [samples, 0]);

    const [lost, changed] = copy.copied(VICTORIA_METRICS).filter(isOrdinary);
    assert.ok(lost !== undefined && changed !== undefined);
    await deleteSeries(server.url, lost);
    const timeMs = changed.timesMs.find((one) => one > START_MS + (HOURS / 2) * HOUR_MS) ?? 0;
    const other = { ...changed, timesMs: Float64Array.of(timeMs), bits: BigUint64Array.of(bitsOf(-123.5)) };
    await pushSamples(`${server.url}/api/v1/write`, new Map([[labelText(other.labels), other]]));
    await request(`${server.url}/internal/force_flush`);

    const found = await runVerification(specWith({}));
    assert.equal(found.exitCode, 4, found.stderr);
    const { missing, different, repeated, extra, samplesCompared, first } = found.result;
    assert.deepEqual([missing, different + repeated, extra, samplesCompared], [lost.timesMs.length, 1, 0, samples]);
    assert.equal(found.differences.length, lost.timesMs.length + 1);
    assert.deepEqual(
      found.differences
        .filter(({ kind }) => kind === 'missing')
        .map(({ timeMs: atMs }) => atMs)
        .sort((a, b) => a - b),
      [...lost.timesMs],
    );
    assert.deepEqual(
      first.map(({ timestampMs }) => timestampMs),
      [...lost.timesMs.slice(0, 10)],
    );

    const repaired = await runVerification(specWith({}), { args: ['--repair'] });
    assert.equal(repaired.exitCode, 4, 'what has another value stays');
    assert.deepEqual(
      [repaired.result.repaired, repaired.result.missing, repaired.result.different + repaired.result.repeated],
      [lost.timesMs.length, 0, 1],
    );
    await deleteSeries(server.url, changed);
    const last = await runVerification(specWith({}), { args: ['--repair'] });
    assert.equal(last.exitCode, 0, last.stderr);
    await copy.assertAllThereOnce(VICTORIA_METRICS, server, 'several');
  });
});

/** Over all of the range, with values that VictoriaMetrics keeps. */
function isOrdinary({ timesMs, bits }: SeriesSamples): boolean {
  const exponents = [...bits].map((value) => Number((value >> 52n) & 0x7ffn));
  return timesMs.length > HOURS * 100 && exponents.every((exponent) => exponent > 0 && exponent < 0x7ff);
}

async function deleteSeries(url: string, { labels }: SeriesSamples): Promise<void> {
  const matchers = labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',');
  const { status } = await request(
    `${url}/api/v1/admin/tsdb/delete_series?match[]=${encodeURIComponent(`{${matchers}}`)}`,
  );
  assert.ok(status < 300, `delete_series: ${status}`);
}
