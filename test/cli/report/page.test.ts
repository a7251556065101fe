import assert from 'node:assert/strict';
import { html } from '../../../src/cli/report/page/html.ts';
import { renderReport } from '../../../src/cli/report/page/page.ts';
import { DARK, LIGHT } from '../../../src/cli/report/page/style.ts';
import type { ReportModel } from '../../../src/cli/report/page/model.ts';
import {
  completed,
  endMs,
  someRecord,
  hostileReport,
  someReport,
  someSpans,
  someVerification,
  startMs,
} from './some-report.ts';

describe('the page of a report', () => {
  it('shows hostile texts as text', () => {
    const page = renderReport(hostileReport());
    assert.ok(page.split('&lt;script&gt;alert(1)').length > 20, 'every text is there');
    assert.doesNotMatch(page, /<script|<img/i);
    assert.equal(page.split('</style>').length, 2);
    // Every tag is one that the page itself has, with attributes that it has.
    const attributes = new Set([...page.matchAll(/<[a-z][^>]*?\s([a-z-]+)=/gi)].map(([, name]) => name));
    assert.ok(![...attributes].some((name) => name?.startsWith('on')), [...attributes].join(' '));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    assert.doesNotMatch(page, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    assert.ok(page.isWellFormed(), 'no lone surrogate');
    assert.match(page, /\\u202eevil/);
    assert.match(page, /<bdi>[^<]*שלום/, 'right-to-left text is isolated');
  });

  it('needs nothing outside the file and has no script', () => {
    for (const page of [renderReport(someReport()), renderReport(hostileReport())]) {
      assert.match(
        page,
        /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/,
      );
      assert.doesNotMatch(page, /<(?:script|link rel="stylesheet|iframe|object|embed)|@import|url\(|javascript:/i);
      const loaded = [...page.matchAll(/\s(?:src|href|action|srcset)="([^"]*)"/g)].map(([, url]) => url);
      assert.deepEqual(loaded, ['data:,']);
    }
  });

  it('has headings in order, table headers with a scope, and charts with a title and a description', () => {
    const page = renderReport(hostileReport());
    const levels = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    assert.equal(levels[0], 1);
    assert.equal(levels.filter((level) => level === 1).length, 1);
    const skipped = levels.filter((level, index) => index > 0 && level > (levels[index - 1] ?? 0) + 1);
    assert.deepEqual(skipped, [], 'no level is skipped');
    assert.doesNotMatch(page, /<th(?! scope="(?:row|col)")[ >]/);
    assert.equal(page.split('<table>').length, page.split('<caption>').length);
    const charts = page.split('<svg ').slice(1);
    assert.ok(charts.length >= 6);
    for (const chart of charts)
      assert.match(
        chart,
        /role="img" aria-labelledby="(\S+) (\S+)">\s*<title id="\1">[^<]+<\/title>\s*<desc id="\2">[^<]+<\/desc>/,
      );
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, 'every id is unique');
  });

  it('draws finite coordinates for any run', () => {
    const nothing = { intervalMs: 100, elapsedMs: 0, intervals: [] };
    const odd: Partial<ReportModel>[] = [
      { record: someRecord({ spans: [], timeline: nothing }) },
      {
        record: someRecord({
          spans: someSpans(() => 0),
          gaps: { count: 1, totalMs: endMs - startMs, longest: [] },
        }),
      },
      { durationMs: 0, endedMs: someReport().startedMs },
      { progress: completed({ endMs: startMs, watermarkMs: startMs }) },
      {
        record: someRecord({
          spans: [{ fromMs: startMs, toMs: startMs + 1, windows: 1, samplesRead: 2 ** 50, samplesWritten: 0 }],
        }),
      },
    ];
    for (const changes of odd) assert.doesNotMatch(renderReport(someReport(changes)), /NaN|Infinity|undefined/);
  });

  it('shows gaps, the part of an earlier run and what was not copied', () => {
    const spans = someSpans((hour) => (hour === 12 ? 0 : 100)).slice(6, 20);
    const page = renderReport(
      someReport({
        progress: completed({
          phase: 'Interrupted',
          resumedFromMs: startMs + 6 * 3_600_000,
          watermarkMs: startMs + 20 * 3_600_000,
        }),
        record: someRecord({ spans, gaps: { count: 1, totalMs: 3_600_000, longest: spans.slice(6, 7) } }),
      }),
    );
    for (const className of ['gap', 'earlier', 'left'])
      assert.equal(page.split(`<rect class="${className}"`).length, 3, className);
    assert.match(page, /The source returned no samples for 1h of the range/);
    assert.match(page, /2026-01-01 12:00:00/);
  });

  it('shows what is there and what is missing of a range that was copied in stretches', () => {
    const HOUR_MS = 3_600_000;
    const spans = someSpans().filter((_, hour) => [4, 5, 8, 9, 10, 20].includes(hour));
    const remaining = [
      { fromMs: startMs + 4 * HOUR_MS, toMs: startMs + 12 * HOUR_MS },
      { fromMs: startMs + 18 * HOUR_MS, toMs: endMs },
    ];
    const page = renderReport(
      someReport({
        progress: completed({
          phase: 'Interrupted',
          watermarkMs: startMs + 6 * HOUR_MS,
          reachedMs: startMs + 16 * HOUR_MS,
          stretches: { total: 6, finished: 3, running: [], failed: [] },
        }),
        record: someRecord({ spans, division: { lengthMs: 4 * HOUR_MS, mostRunning: 3, remaining } }),
      }),
    );
    const blocks = (className: string) => page.split(`<rect class="${className}"`).length - 1;
    assert.equal(blocks('earlier'), 2 * 2, 'two areas in two sizes');
    assert.equal(blocks('left'), 2 * 4, 'between and behind what was copied');
    assert.equal(page.split('<path class="area"').length - 1, 2 * 3 + 4, 'three runs without a hole; two other charts');
    assert.match(page, /<dt>Stretches<\/dt><dd>3 of 6 finished, of 4h, at most 3 at once<\/dd>/);
    assert.match(page, /3 of 6 stretches are complete, and others may be in part/);
  });

  it('says every count with its reason, and whether the equation holds', () => {
    const page = renderReport(
      someReport({
        progress: completed({
          samplesRead: 1_000_010,
          samplesRejected: { too_old: 3, out_of_order: 4 },
          samplesFiltered: 1,
        }),
      }),
    );
    assert.match(page, /rejected: too_old<\/th><td class="number">3</);
    assert.match(page, /rejected: out_of_order<\/th><td class="number">4</);
    assert.match(page, /1,000,010 = 1,000,008 \+ 2 in windows that were not finished/);
  });

  it('explains every expected change and lists the first differences', () => {
    const page = renderReport(
      someReport({
        verification: someVerification({
          expected: { influxdb_nan_inf: 4 },
          missing: 1,
          first: [
            { labels: 'up{job="a"}', timestampMs: startMs, kind: 'missing', source: '1', destination: undefined },
          ],
        }),
      }),
    );
    assert.match(
      page,
      /influxdb_nan_inf<\/bdi><\/code><\/th><td class="number">4<\/td>.*InfluxDB stores neither NaN nor ±Inf/,
    );
    assert.match(page, /up\{job=&quot;a&quot;\}.*2026-01-01T00:00:00\.000Z/);
  });

  it('shows a verification over the range: differences, extra samples, what was not compared', () => {
    const compared = someSpans().map(({ samplesRead: samplesCompared, samplesWritten: _, ...rest }, hour) => ({
      ...{ ...rest, samplesCompared, missing: hour === 3 ? 7 : 0, different: hour === 4 ? 1 : 0 },
      extra: hour === 5 ? 2 : 0,
    }));
    const shown = (changes: Parameters<typeof someVerification>[0], count = 24) =>
      renderReport(
        someReport({
          work: 'Verify',
          verification: someVerification(changes),
          record: someRecord({ spans: [], compared: compared.slice(0, count) }),
        }),
      );
    const rects = (page: string) =>
      Object.fromEntries(
        ['differs', 'extra', 'left', 'earlier'].map((name) => [name, page.split(`<rect class="${name}"`).length - 1]),
      );
    const page = shown({ missing: 7, different: 1, extra: 2 });
    // Every chart is drawn twice, for wide and narrow screens.
    assert.deepEqual(rects(page), { differs: 4, extra: 2, left: 0, earlier: 0 });
    assert.match(page, /in 24 spans\. 2 of them differ\./);
    assert.match(page, /<caption>Samples compared per span of the range<\/caption>/);
    const interrupted = shown({ missing: 7, finished: false, throughMs: startMs, resumedFromMs: startMs + 1000 }, 4);
    assert.deepEqual(rects(interrupted), { differs: 2, extra: 0, left: 2, earlier: 2 });
    const expected = shown({ missing: 0, different: 1, extra: 2, expected: { rejected: 7 } });
    assert.deepEqual(rects(expected), { differs: 2, extra: 2, left: 0, earlier: 0 });
    for (const one of [page, interrupted, expected, shown({}, 0)]) assert.doesNotMatch(one, /NaN|Infinity|undefined/);
  });

  it('never shows what a URL in a message carries', () => {
    const page = renderReport(
      someReport({
        error: { code: 'internal', message: 'see http://me:hunter2@host/?p=hunter3', hint: 'http://me:hunter2@host' },
      }),
    );
    assert.doesNotMatch(page, /hunter/);
  });
});

describe('the colours of a report', () => {
  const channel = (value: number) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
      channel(Number.parseInt(colour.slice(at, at + 2), 16) / 255),
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (a: string, b: string) => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  for (const [name, palette] of Object.entries({ LIGHT, DARK })) {
    it(`have at least the contrast of WCAG AA: ${name}`, () => {
      for (const background of [palette.page, palette.card]) {
        for (const colour of ['text', 'muted', 'accent', 'good', 'warning', 'bad'] as const) {
          const ratio = contrast(palette[colour], background);
          assert.ok(ratio >= 4.5, `${colour} on ${background}: ${ratio.toFixed(2)}`);
        }
      }
    });
  }
});

describe('the template of HTML', () => {
  it('escapes values in elements and attributes, and leaves its own HTML alone', () => {
    assert.equal(
      html`<a title="${'"<&'}">${html`<b>${"'"}</b>`}${undefined}${[1, 'x>']}</a>`.text,
      '<a title="&quot;&lt;&amp;"><b>&#39;</b>1x&gt;</a>',
    );
  });
});
