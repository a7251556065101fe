// A whole migration from a Prometheus to Amazon's managed one, whose signatures are checked by another implementation: keys that expire, keys
// that are replaced in their files, and a clock that is five minutes off.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SigV4Auth } from '../../../src/remote/http/endpoint.ts';
import { FileSecret, Secret } from '../../../src/telemetry/secret.ts';
import { USUAL_TLS } from '../../support/clouds/credentials.ts';
import { type AwsAccount, startFakeAmp, startFakeSts } from '../../support/clouds/fake-aws.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { SteppedClock } from '../support/fake-clock.ts';
import { dayMs, endpoint, epochMs, hourMs, planFor, run } from '../support/plan.ts';
import { assertComplete, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const ARN = 'arn:aws:iam::123456789012:role/writer';

function sigv4(changes: Partial<SigV4Auth>): SigV4Auth {
  return {
    ...{ kind: 'sigv4', field: 'spec.destination.sigv4', tls: USUAL_TLS, region: 'eu-central-1', service: 'aps' },
    ...{ keys: { accessKey: new Secret('AKIAONE'), secretKey: new Secret('secret-1') }, role: undefined },
    ...changes,
  };
}

interface Copy {
  readonly clock: SteppedClock;
  readonly account: AwsAccount;
  readonly auth: SigV4Auth;
  /** Called with the number of each write. */
  readonly onWrite: (number: number) => void | Promise<void>;
}

/** @returns what AMP saw of each request */
async function copy({ clock, account, auth, onWrite }: Copy) {
  await using source = await prometheusWith();
  await using destination = await startFakeStore(prometheus(), { now: () => clock.now() });
  let writes = 0;
  destination.onRequest = async ({ kind }) => {
    if (kind === 'write') await onWrite(++writes);
    return undefined;
  };
  await using amp = await startFakeAmp(account, destination.url);
  const base = `${amp.url}/workspaces/ws-1`;
  const sides = {
    source,
    destination: { writeUrl: `${base}/api/v1/remote_write`, readUrl: '', queryUrl: base },
  };
  const plan = planFor(sides, {
    ...{ protocol: 'PromQL', destination: { auth }, limits: { samplesPerWrite: 10 }, window: { maxMs: hourMs / 4 } },
  });
  const progress = { protocol: 'PromQL' as const, endpoint: endpoint('progress', base, { auth }) };
  const result = await run({ ...plan, progress }, { clock });
  assertComplete(result, destination, testSeries());
  assert.equal(result.observer.all('retry').length, 0);
  return { seen: amp.seen, writes };
}

describe('a migration into Amazon Managed Service for Prometheus', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-amp-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('gets keys of a role before the old ones expire, and no request is refused but for the clock', async () => {
    const clock = new SteppedClock({ nowMs: epochMs + 30 * dayMs, speed: 20 });
    const account: AwsAccount = {
      now: () => clock.now() + 300_000,
      keys: new Map([['AKIAONE', { secretKey: 'secret-1' }]]),
    };
    await using sts = await startFakeSts(account);
    const before = process.env['AWS_ENDPOINT_URL_STS'];
    process.env['AWS_ENDPOINT_URL_STS'] = sts.url;
    try {
      const auth = sigv4({ role: { arn: ARN, externalId: undefined } });
      // The shortest that AWS allows.
      sts.lifeMs = 900_000;
      const onWrite = async () => {
        clock.aheadMs += 60_000;
        // A request for new keys is on its way behind the next one.
        await new Promise((resolve) => setTimeout(resolve, 20));
      };
      const { seen, writes } = await copy({ clock, account, auth, onWrite });
      assert.ok(writes > 60);
      assert.deepEqual(
        seen.filter(({ problem }) => problem !== undefined),
        [],
      );
      const used = new Set(seen.map(({ accessKey }) => accessKey));
      assert.ok(used.size > 3, [...used].join());
      assert.deepEqual(sts.seen.map(({ problem }) => problem?.replace(/:.*/, '')).slice(0, 2), [
        'InvalidSignatureException',
        undefined,
      ]);
    } finally {
      if (before === undefined) delete process.env['AWS_ENDPOINT_URL_STS'];
      else process.env['AWS_ENDPOINT_URL_STS'] = before;
    }
  });

  for (const skewMs of [-300_000, 300_000]) {
    it(`survives three rotations of the files with its keys, with a clock ${skewMs / 1000} s ahead`, async () => {
      const clock = new SteppedClock({ nowMs: epochMs + 30 * dayMs, speed: 20 });
      const account: AwsAccount = {
        now: () => clock.now() - skewMs,
        keys: new Map([['AKIAONE', { secretKey: 'secret-1' }]]),
      };
      const [accessPath, secretPath] = [join(directory, 'access'), join(directory, 'secret')];
      const keys = {
        accessKey: new FileSecret('AKIAONE', accessPath),
        secretKey: new FileSecret('secret-1', secretPath),
      };
      await writeFile(accessPath, 'AKIAONE');
      await writeFile(secretPath, 'secret-1');
      const onWrite = async (number: number) => {
        if (![5, 12, 20].includes(number)) return;
        const next = [`AKIA${number}`, `secret-${number}`] as const;
        await writeFile(accessPath, `${next[0]}\n`);
        await writeFile(secretPath, `${next[1]}\n`);
        account.keys.clear();
        account.keys.set(next[0], { secretKey: next[1] });
      };
      const { seen } = await copy({ clock, account, auth: sigv4({ keys }), onWrite });
      assert.deepEqual(
        [...new Set(seen.filter(({ problem }) => problem === undefined).map((one) => one.accessKey))],
        ['AKIAONE', 'AKIA5', 'AKIA12', 'AKIA20'],
      );
      const problems = new Set(seen.map(({ problem }) => problem?.replace(/:.*/, '')));
      assert.deepEqual(problems, new Set(['InvalidSignatureException', undefined, 'UnrecognizedClientException']));
    });
  }
});

it('a migration out of Amazon Managed Service for Prometheus copies everything that its query API shows', async () => {
  const exponent = 0x7ff0_0000_0000_0000n;
  const series = testSeries().map(({ samples, ...others }) => ({
    ...others,
    samples: samples.filter(({ bits }) => (bits & exponent) !== exponent),
  }));
  const clock = new SteppedClock({ nowMs: epochMs + 30 * dayMs, speed: 20 });
  const account: AwsAccount = {
    now: () => clock.now() + 300_000,
    keys: new Map([['AKIAONE', { secretKey: 'secret-1' }]]),
  };
  await using store = await prometheusWith(series);
  await using destination = await startFakeStore(prometheus());
  await using amp = await startFakeAmp(account, store.url);
  const readUrl = `${amp.url}/workspaces/ws-1`;
  const source = { protocol: 'PromQL' as const, auth: sigv4({}) };
  const result = await run(planFor({ source: { readUrl }, destination }, { source }), { clock });
  assertComplete(result, destination, series);
  const problems = amp.seen.map(({ problem }) => problem?.replace(/:.*/, ''));
  assert.deepEqual([...new Set(problems)], ['InvalidSignatureException', undefined]);
});
