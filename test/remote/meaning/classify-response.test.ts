import assert from 'node:assert/strict';
import fc from 'fast-check';

import { RESPONSE_CODES } from '../../../src/remote/meaning/response-codes.ts';
import { type JudgedResponse, classifyResponse } from '../../../src/remote/meaning/classify-response.ts';
import type { Side } from '../../../src/remote/meaning/side.ts';
import { read } from '../responses-to-reads.ts';
import { written } from '../responses-to-writes.ts';

const now = Date.UTC(2026, 0, 1);

function judge(side: Side, status: number, text = '', headers: JudgedResponse['headers'] = {}) {
  return classifyResponse({ side, status, headers, text, now });
}

/** `class code` or `class code reason`. */
function verdict(side: Side, status: number, text = '', headers: JudgedResponse['headers'] = {}): string {
  const judged = judge(side, status, text, headers);
  if (judged.class === 'done') return judged.unproven === undefined ? 'done' : `done ${judged.unproven}`;
  return [judged.class, judged.code, judged.reason].filter((part) => part !== undefined).join(' ');
}

describe('classifyResponse', () => {
  describe('for a write', () => {
    for (const [from, status, text, expected] of written) {
      it(`${from}: ${status} ${text.slice(0, 60).trim()}`, () =>
        assert.equal(verdict('destination', status, text), expected));
    }
  });

  describe('for a read', () => {
    for (const [from, status, text, expected, headers] of read) {
      it(`${from}: ${status} ${text.slice(0, 60).trim()}`, () => {
        assert.equal(verdict('source', status, text, headers), expected);
        assert.equal(verdict('progress', status, text, headers), expected);
      });
    }
  });

  it('ignores the names of the series in a response', () => {
    const series = '{__name__="too old", a="native histograms are disabled", b="too far in the future"}';
    assert.equal(
      verdict('destination', 400, `user=1: out of order sample. timestamp=x, series=${series}`),
      'rejected out-of-order out_of_order',
    );
    assert.equal(
      verdict(
        'destination',
        400,
        `its timestamp (err-mimir-sample-duplicate-timestamp). The affected sample is from series a${series}`,
      ),
      'rejected duplicate-timestamp duplicate_timestamp',
    );
  });

  it('rejects a web page as the response to a write', () => {
    assert.equal(verdict('destination', 200, '', { 'content-type': 'text/html' }), 'refused wrong-content-type');
    assert.equal(verdict('destination', 200, '\n<!DOCTYPE html>'), 'refused wrong-content-type');
    assert.equal(verdict('destination', 302, '', { location: '/login' }), 'refused redirected');
  });

  it('names the target of a redirect, without its secrets', () => {
    for (const [location, shown] of [
      ['https://u:p@login.example/a?token=abc', 'https://login.example/a?token=***'],
      ['/login?next=%2Fwrite&sid=abc', '/login?***'],
    ] as const) {
      const judged = judge('source', 307, '', { location });
      assert.ok(
        judged.class === 'refused' && judged.hint?.endsWith(`; the redirect points to ${shown}`),
        JSON.stringify(judged),
      );
    }
  });

  it('returns hints that name the settings of the side', () => {
    for (const [side, status, text, hint] of [
      ['source', 401, '', /spec\.source\.basicAuth, authorization, oauth2.*spec\.source\.tenant/],
      ['destination', 403, '', /spec\.destination\.basicAuth/],
      ['progress', 401, '', /spec\.destination\.progress\.basicAuth/],
      [
        'destination',
        400,
        'out of order sample',
        /out_of_order_time_window.*--tsdb\.out-of-order\.time-window.*spec\.rejectedSamples: Skip/,
      ],
      ['destination', 500, 'native histograms are disabled', /--enable-feature=native-histograms/],
      ['destination', 500, 'out-of-order native histogram ingestion is disabled', /ooo-native-histograms/],
      ['destination', 404, 'remote write receiver needs to be enabled', /--web\.enable-remote-write-receiver/],
      ['destination', 404, 'database not found', /CREATE DATABASE/],
      ['destination', 404, '', /spec\.destination\.url.*\/api\/v1\/push.*\/api\/v1\/receive.*\/api\/v1\/prom\/write/],
      ['source', 404, '', /spec\.source\.url.*\/prometheus\/api\/v1\/read.*VictoriaMetrics/],
      ['progress', 404, '', /spec\.destination\.progress\.url.*select/],
      ['destination', 400, 'max-series-per-user', /max_global_series_per_user/],
    ] as const) {
      const judged = judge(side, status, text);
      assert.ok(judged.class !== 'done');
      assert.match(judged.hint ?? '', hint);
    }
  });

  it('parses Retry-After in seconds and as a date, and limits it to five minutes', () => {
    for (const [header, expected] of [
      ['7', 7000],
      [' 0 ', 0],
      ['0.5', 500],
      ['86400', 300_000],
      ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
      ['Thu, 01 Jan 2032 00:00:09 GMT', 300_000],
      ['Thu, 01 Jan 2020 00:00:00 GMT', 0],
      ['soon', undefined],
      ['', undefined],
      ['-5', undefined],
    ] as const) {
      for (const status of [429, 503]) {
        const judged = judge('destination', status, '', { 'retry-after': header });
        assert.ok(judged.class === 'transient');
        assert.equal(judged.retryAfterMs, expected, header);
      }
    }
    assert.ok(!('retryAfterMs' in judge('destination', 400, '', { 'retry-after': '7' })));
  });

  it('returns a class and a documented code for every status and text, and a reason for every rejection', () => {
    const sides = fc.constantFrom<Side>('source', 'destination', 'progress');
    fc.assert(
      fc.property(sides, fc.integer({ min: 200, max: 599 }), fc.string({ unit: 'binary' }), (side, status, text) => {
        const judged = judge(side, status, text);
        if (judged.class === 'done') return;
        assert.ok(Object.hasOwn(RESPONSE_CODES, judged.code), judged.code);
        assert.ok(judged.hint !== undefined && judged.hint !== '' && !judged.hint.includes('SIDE'));
        assert.equal(judged.reason !== undefined, judged.class === 'rejected');
        if (judged.class === 'rejected' || judged.code === 'series-limit') assert.equal(side, 'destination');
      }),
    );
  });

  it('is fast with hostile texts', () => {
    const started = performance.now();
    for (const text of ['decoded size ', 'series limit ', 'histogram ', 'snappy', ' ', '<']) {
      judge('destination', 400, text.repeat(4096 / text.length));
      judge('source', 400, text.repeat(4096 / text.length));
    }
    assert.ok(performance.now() - started < 5000);
  });
});

describe('response codes', () => {
  it('are kebab-case, with a meaning and a remedy each', () => {
    for (const [code, { meaning, cure }] of Object.entries(RESPONSE_CODES)) {
      assert.match(code, /^[a-z]+(?:-[a-z]+)*$/);
      assert.ok(meaning.length > 10 && cure.length > 8, code);
    }
  });
});
