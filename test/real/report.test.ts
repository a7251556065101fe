// The report of a real run between real servers, and of every text that can be hostile, in a real browser: light and dark, on a phone, on a
// large screen, and printed. The screenshots stay in the cache directory, to be looked at.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { renderReport } from '../../src/cli/report/page/page.ts';
import { hostileReport } from '../cli/report/some-report.ts';
import { Browser, type PageView, type ViewedPage } from '../support/browser.ts';
import { cacheDirectory } from '../support/cache.ts';
import { generateDataset } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { countSamples } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { runCommand } from './support/command.ts';
import { manifestOf, runMigration, startMigration } from './support/migration.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 4, 1);
const END_MS = START_MS + 12 * HOUR_MS;
const GAP = { fromMs: START_MS + 4 * HOUR_MS, toMs: START_MS + 7 * HOUR_MS };

const VIEWS: readonly PageView[] = [
  { width: 400, colours: 'light' },
  { width: 400, colours: 'dark' },
  { width: 1400, colours: 'light' },
  { width: 1400, colours: 'dark' },
  // A4 with its margins.
  { width: 690, colours: 'dark', media: 'print' },
];

let browser: Browser;
let directory: string;
let source: ServerProcess;
let victoria: ServerProcess;
let samples = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prom-migrator-report-'));
  [browser, source, victoria] = await Promise.all([
    Browser.start(),
    startPrometheus({ version: '3.5', receiver: true, outOfOrderWindow: '30d' }),
    startVictoriaMetrics(),
  ]);
  for (const [startMs, endMs] of [
    [START_MS, GAP.fromMs],
    [GAP.toMs, END_MS],
  ] as const) {
    const set = generateDataset({ series: 22, startMs, endMs });
    await pushSamples(`${source.url}/api/v1/write`, set);
    samples += countSamples(set);
  }
});

after(async () => {
  for (const open of [browser, source, victoria]) await open?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function specOf(label: string, more: object = {}) {
  return {
    source: { url: `${source.url}/api/v1/read?secret=canary-in-query` },
    destination: { url: `${victoria.url}/api/v1/write`, progress: { protocol: 'PromQL', url: victoria.url } },
    externalLabels: { test: label },
    timeRange: { start: new Date(START_MS).toISOString(), end: new Date(END_MS).toISOString() },
    window: { max: '30m' },
    ...more,
  };
}

/** What may stick out of the page: nothing, except inside an element that scrolls by itself. */
const STICKING_OUT = `[...document.body.querySelectorAll('*')]
  .filter((element) => !element.closest('svg, caption') && (matchMedia('print').matches || !element.closest('.scroll table')))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 200))`;

const CHARTS = `[...document.querySelectorAll('svg')]
  .filter((svg) => svg.getBoundingClientRect().width > 0)
  .map((svg) => {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    const sizes = [...svg.querySelectorAll('text')].map((text) => Number.parseFloat(getComputedStyle(text).fontSize) * scale);
    return { title: svg.querySelector('title').textContent, paths: svg.querySelectorAll('path').length, smallest: Math.min(...sizes) };
  })`;

const CHART_TITLES = ['Samples over the range of the data', 'Samples written per second', 'Window length over time'];
const COMPARED = 'Samples compared over the range of the data';
const VERIFICATION_TITLES = [COMPARED, 'Samples compared per second', 'Window length over time'];

async function check(view: PageView, file: string, titles: readonly string[] = CHART_TITLES): Promise<ViewedPage> {
  const url = pathToFileURL(file).href;
  const page = await browser.view(url, view);
  assert.deepEqual(page.requests, [url], 'nothing but the file is loaded');
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(await page.evaluate(STICKING_OUT), []);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), view.width, 'nothing overflows');
  assert.equal(await page.evaluate('document.scripts.length'), 0);
  const charts = (await page.evaluate(CHARTS)) as { title: string; paths: number; smallest: number }[];
  assert.deepEqual(
    charts.map(({ title }) => title),
    titles,
  );
  for (const { title, paths, smallest } of charts) {
    assert.ok(paths >= 2, `${title} shows something`);
    assert.ok(smallest >= 7.5, `${title}: text of ${smallest} pixels`);
  }
  const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  const isDark = view.colours === 'dark' && view.media !== 'print';
  assert.equal(background, isDark ? 'rgb(18, 22, 27)' : 'rgb(255, 255, 255)');
  return page;
}

async function keepScreenshot(name: string, page: ViewedPage): Promise<void> {
  const kept = join(cacheDirectory(), 'screenshots');
  await mkdir(kept, { recursive: true });
  await writeFile(join(kept, name), page.screenshot);
  process.stderr.write(`      ${join(kept, name)}\n`);
}

const nameOf = ({ width, colours, media }: PageView) => `${width}-${media ?? colours}`;

describe('the report of a real run', () => {
  let file: string;

  before(async () => {
    file = join(directory, 'report.html');
    const run = await runMigration(specOf('report'), { args: ['--report', file] });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(run.result.samplesRead, samples);
  });

  it('has the exact counts, both sides with their versions, the gap, and no secret', async () => {
    const page = await readFile(file, 'utf8');
    const exact = samples.toLocaleString('en-US');
    assert.match(page, new RegExp(`every one of the ${exact} samples to be copied`));
    assert.match(page, new RegExp(`read</th><td class="number">${exact}<`));
    assert.ok(page.includes(`version ${source.version.replace(/-\d+$/, '')}`), `Prometheus ${source.version}`);
    assert.match(page, /VictoriaMetrics, which does not report its version/);
    assert.match(
      page,
      /2025-05-01 04:00:00<\/span><\/th><td><span class="time">2025-05-01 07:00:00<\/span><\/td><td class="number">3h</,
    );
    assert.match(page, /secret=\*\*\*/);
    assert.ok(!page.includes('canary'));
  });

  for (const view of VIEWS) {
    it(`is a page without faults: ${nameOf(view)}`, async () => {
      await using page = await check(view, file);
      await keepScreenshot(`report-${nameOf(view)}.png`, page);
    });
  }

  it('is written when the run is interrupted', async () => {
    const interrupted = join(directory, 'interrupted.html');
    const spec = specOf('interrupted', { limits: { samplesPerSecond: 5_000 } });
    await using migration = await startMigration(spec, { args: ['--report', interrupted, '--grace', '0s'] });
    await migration.saying(/ migration started /);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    migration.child.kill('SIGTERM');
    const { exitCode, stderr } = await migration.ended;
    assert.equal(exitCode, 143, stderr);
    assert.match(await readFile(interrupted, 'utf8'), /The copy was interrupted at \d+\.\d% of the range/);
  });
});

describe('the report of a real run in stretches', () => {
  const inStretches = (label: string, more: object = {}) => {
    const spec = specOf(label, { execution: { parallelism: 3, stretch: '2h', order: 'NewestFirst' }, ...more });
    return { ...spec, destination: { ...spec.destination, ordering: 'Any' } };
  };
  const blocks = (page: string, className: string) => page.split(`<rect class="${className}"`).length - 1;

  it('has the same counts, coverage and gap as that of a run in one piece', async () => {
    const file = join(directory, 'stretches.html');
    const run = await runMigration(inStretches('stretches'), { args: ['--report', file] });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(run.result.samplesRead, samples);
    assert.deepEqual(run.result.stretches, { total: 6, finished: 6 });
    const page = await readFile(file, 'utf8');
    assert.match(page, /<dt>Stretches<\/dt><dd>6 of 6 finished, of 2h, at most [23] at once<\/dd>/);
    assert.match(
      page,
      /2025-05-01 04:00:00<\/span><\/th><td><span class="time">2025-05-01 07:00:00<\/span><\/td><td class="number">3h</,
    );
    assert.deepEqual([blocks(page, 'earlier'), blocks(page, 'left')], [0, 0]);
    for (const view of VIEWS) {
      await using viewed = await check(view, file);
      await keepScreenshot(`report-stretches-${nameOf(view)}.png`, viewed);
    }
  });

  it('shows what an interrupted run has copied, and after the next one what was there before', async () => {
    const interrupted = join(directory, 'stretches-interrupted.html');
    const slow = inStretches('resumed', { limits: { samplesPerSecond: 10_000 } });
    await using migration = await startMigration(slow, {
      args: ['--report', interrupted, '--grace', '0s', '--log-level', 'debug'],
    });
    await migration.saying(/ stretch finished /);
    migration.child.kill('SIGTERM');
    const { exitCode, stderr } = await migration.ended;
    assert.equal(exitCode, 143, stderr);
    const first = await readFile(interrupted, 'utf8');
    assert.match(
      first,
      /\d of 6 stretches are complete, and others may be in part\. A later run copies what is missing/,
    );
    assert.ok(blocks(first, 'left') >= 2, 'the oldest data is not copied');
    assert.equal(blocks(first, 'earlier'), 0);
    const resumed = join(directory, 'stretches-resumed.html');
    const run = await runMigration(inStretches('resumed'), { args: ['--report', resumed] });
    assert.equal(run.exitCode, 0, run.stderr);
    const second = await readFile(resumed, 'utf8');
    assert.ok(blocks(second, 'earlier') >= 2, 'the newest data was there');
    assert.equal(blocks(second, 'left'), 0);
    for (const [name, file] of Object.entries({ interrupted, resumed })) {
      for (const view of VIEWS.filter(({ width }) => width !== 690)) {
        await using viewed = await check(view, file);
        await keepScreenshot(`report-stretches-${name}-${nameOf(view)}.png`, viewed);
      }
    }
  });
});

describe('the report of a real verification', () => {
  it('shows the series that somebody has deleted in the destination', async () => {
    const spec = specOf('verified');
    const copied = await runMigration(spec);
    assert.equal(copied.exitCode, 0, copied.stderr);
    const selector = encodeURIComponent('{test="verified", __name__=~".+_(counter|decimal)"}');
    const deleted = await request(`${victoria.url}/api/v1/admin/tsdb/delete_series?match[]=${selector}`);
    assert.equal(deleted.status, 204);
    const file = join(directory, 'verified.html');
    const run = await runCommand(['verify', '-f', 'migration.yaml', '-o', 'json', '--report', file], {
      files: { 'migration.yaml': JSON.stringify(manifestOf(spec)) },
    });
    assert.equal(run.exitCode, 4, run.stderr);
    const { missing } = JSON.parse(run.stdout) as { missing: number };
    assert.ok(missing > 0);
    assert.match(await readFile(file, 'utf8'), new RegExp(`found ${missing.toLocaleString('en-US')} differences`));
    for (const view of VIEWS.filter(({ width }) => width !== 690)) {
      await using page = await check(view, file, VERIFICATION_TITLES);
      await keepScreenshot(`report-verify-${nameOf(view)}.png`, page);
    }
  });
});

describe('a report full of hostile texts', () => {
  for (const view of VIEWS) {
    it(`is a page without faults: ${nameOf(view)}`, async () => {
      const file = join(directory, 'hostile.html');
      await writeFile(file, renderReport(hostileReport()));
      const [first = '', ...others] = CHART_TITLES;
      await using page = await check(view, file, [first, COMPARED, ...others]);
      assert.equal(await page.evaluate('document.images.length'), 0);
      assert.ok(
        String(await page.evaluate('document.querySelector("h1").textContent')).includes('<script>alert(1)</script>'),
      );
      await keepScreenshot(`report-hostile-${nameOf(view)}.png`, page);
    });
  }
});
