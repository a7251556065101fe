import assert from 'node:assert/strict';
import { loadManifests } from '../../src/api/manifest.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { parseStormArguments } from '../../storm/arguments.ts';
import { drawScenario, isCopied, type Scenario, selectorOf, specOf } from '../../storm/scenario.ts';
import { START_MS } from '../../storm/source.ts';
import { manifestOf } from '../real/support/migration.ts';

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);
const scenarios = SEEDS.map((seed) => drawScenario(seed));
const valuesOf = (field: (scenario: Scenario) => unknown) => new Set(scenarios.map(field));

describe('the scenario of a seed', () => {
  it('is the same for the same seed, for one pair of stores too', () => {
    for (const scenario of scenarios) assert.deepEqual(drawScenario(scenario.seed), scenario);
    for (const seed of SEEDS) {
      assert.notEqual(drawScenario(seed, 'prometheus-prometheus').destination, 'victoria-metrics');
      assert.equal(drawScenario(seed, 'prometheus-victoriametrics').destination, 'victoria-metrics');
    }
  });

  it('covers all relevant combinations', () => {
    const combinations = valuesOf(({ destination, ordering, readMode, progress }) =>
      [destination, ordering, readMode, progress].join(' '),
    );
    // In order: 2 × 2; out of order: 2 × 2 × 2; VictoriaMetrics by PromQL only: 2 × 2.
    assert.equal(combinations.size, 16);
    assert.deepEqual([...valuesOf(({ variant }) => variant)].sort(), ['churn', 'steady']);
    assert.deepEqual([...valuesOf(({ kills }) => kills.length)].sort(), [0, 1, 2, 3]);
  });

  it('is a manifest that the program accepts', () => {
    const addresses = { source: 'http://127.0.0.1:1', write: 'http://127.0.0.1:2', progress: 'http://127.0.0.1:3' };
    for (const scenario of scenarios.slice(0, 20)) {
      const spec = specOf(scenario, addresses, { startMs: START_MS, endMs: START_MS + 3_600_000 });
      const text = new Secret(JSON.stringify(manifestOf(spec)));
      const loaded = loadManifests([{ name: 'test', text }], undefined);
      assert.ok('migration' in loaded, JSON.stringify(loaded));
    }
  });

  it('excludes by its selector what it excludes from the comparison', () => {
    const scenario = drawScenario(1, 'prometheus-victoriametrics');
    assert.match(selectorOf(scenario), /integer_histogram/);
    assert.equal(isCopied(scenario, 'test_integer_histogram'), false);
    assert.equal(isCopied(scenario, 'test_counter'), true);
  });
});

describe('the storm command line', () => {
  it('has defaults, and reports invalid options', () => {
    const { kinds, ...defaults } = parseStormArguments([]);
    assert.equal(kinds, undefined);
    assert.deepEqual(defaults, { seeds: 10, firstSeed: 1, pair: undefined, selection: '', verbose: false });
    const given = [
      '--seeds',
      '3',
      '--seed',
      '7',
      '--pair',
      'prometheus-prometheus',
      '--faults',
      'stored-50*,html-instead',
    ];
    const chosen = parseStormArguments([...given, '--without', 'stored-503*', '--verbose']);
    assert.deepEqual(
      chosen.kinds?.map(({ name }) => name),
      ['stored-500', 'stored-502', 'stored-504', 'html-instead'],
    );
    assert.deepEqual(
      [chosen.seeds, chosen.firstSeed, chosen.pair, chosen.verbose],
      [3, 7, 'prometheus-prometheus', true],
    );
    assert.equal(
      chosen.selection,
      ' --pair prometheus-prometheus --faults stored-50*,html-instead --without stored-503*',
    );
    assert.throws(() => parseStormArguments(['--faults', 'x']), /--faults x: must be one of connection-refused/);
    assert.throws(() => parseStormArguments(['--seeds', '0']), /--seeds 0: must be a whole number from 1 on/);
    assert.throws(() => parseStormArguments(['--pair', 'x']), /--pair x: must be one of prometheus-prometheus/);
    assert.throws(() => parseStormArguments(['--sead', '1']), /--sead/);
  });
});
