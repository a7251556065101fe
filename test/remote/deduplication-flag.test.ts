import assert from 'node:assert/strict';
import {
  deduplicationInterval,
  durationMs,
  endOfInterval,
  showsStoredSamples,
} from '../../src/remote/deduplication.ts';
import { QueryClient } from '../../src/remote/query-client.ts';
import { apiUrl } from '../../src/remote/query-url.ts';
import { endpointAt, httpServer, once, recordingHooks } from './servers.ts';

describe('the deduplication interval of a VictoriaMetrics', () => {
  const cases: readonly (readonly [title: string, status: number, body: string, interval: string | undefined])[] = [
    ['is in its flags', 200, '-a="1"\n-dedup.minScrapeInterval="15s"\n-z="2"\n', '15s'],
    ['is off by default', 200, '-dedup.minScrapeInterval="0s"\n', undefined],
    ['is off without a unit', 200, '-dedup.minScrapeInterval="0"\n', undefined],
    ['is not known behind an authorization', 401, '-dedup.minScrapeInterval="15s"\n', undefined],
    ['is not known of another server', 200, '<html>-dedup.minScrapeInterval="15s"</html>', undefined],
  ];
  for (const [title, status, body, interval] of cases) {
    it(title, async () => {
      await using server = await httpServer((_, response) => response.writeHead(status).end(body));
      const client = new QueryClient(endpointAt(server.url, { side: 'progress' }), recordingHooks());
      assert.equal(await deduplicationInterval(await client.flags(once().signal)), interval);
      client.close();
    });
  }

  const shown: readonly (readonly [title: string, flags: string | undefined, isShown: boolean])[] = [
    ['no flag is set', '', true],
    ['other flags are set', '-retentionPeriod="1y"\n-dedup.minScrapeInterval="0s"\n', true],
    ['deduplication is on', '-a="1"\n-dedup.minScrapeInterval="1ms"\n', false],
    ['samples are thinned out', '-downsampling.period="30d:5m"\n', false],
    ['samples are hidden by filters', '-retentionFilter="{a=\\"b\\"}:3d"\n', false],
    ['the flags are not shown', undefined, false],
    ['the flags are those of another program', '<html>\n', false],
    ['the list of flags is cut off', '-a="1"\n-b="', false],
    ['the list of flags may go on', '-a="1"\n'.repeat(600), false],
  ];
  for (const [title, flags, isShown] of shown)
    it(`${isShown ? 'is known to be' : 'may not be'} off if ${title}`, () =>
      assert.equal(showsStoredSamples(flags), isShown));

  it('is read as Go writes durations', () => {
    const texts = ['15s', '1m0s', '1h30m0s', '500ms', '1.5s', '250µs', '1d', '', '15', '0s'];
    assert.deepEqual(texts.map(durationMs), [
      ...[15_000, 60_000, 5_400_000, 500, 1500],
      ...[undefined, undefined, undefined, undefined, undefined],
    ]);
  });

  it('ends a request where an interval ends, which its last sample belongs to', () => {
    // The intervals are (0, 15], (15, 30]: the last millisecond of the range is toMs − 1.
    assert.deepEqual(
      [15, 16, 17, 30, 31].map((toMs) => endOfInterval(toMs, 15)),
      [16, 16, 31, 31, 31],
    );
    assert.deepEqual(
      [16, 17].map((toMs) => endOfInterval(toMs, 1)),
      [16, 17],
    );
  });

  it('does not change where the native export is', () => {
    const pathOf = (base: string) => apiUrl(new URL(base), 'export_native').pathname;
    assert.equal(pathOf('http://h:8428'), '/api/v1/export/native');
    assert.equal(pathOf('http://h:8481/select/0:1/prometheus'), '/select/0:1/prometheus/api/v1/export/native');
    assert.equal(pathOf('http://h:8428/api/v1/export/native'), '/api/v1/export/native');
  });

  it('is read beside the paths of the API, and beside those of the tenants of a cluster', () => {
    const flagsOf = (base: string) => apiUrl(new URL(base), 'flags').pathname;
    assert.equal(flagsOf('http://h:8428'), '/flags');
    assert.equal(flagsOf('http://h:8428/prefix/api/v1/query'), '/prefix/flags');
    assert.equal(flagsOf('http://h:8481/select/0:1/prometheus'), '/flags');
  });
});
