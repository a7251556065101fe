import assert from 'node:assert/strict';
import { pmigCommand } from '../../src/cli/pmig-command.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import type { PmigOptions, PmigOutcome } from '../../src/kubectl/action-context.ts';
import { fakeIo } from './fake-io.ts';

async function run(args: readonly string[], outcome: PmigOutcome = 'done') {
  const seen: PmigOptions[] = [];
  const code = await pmigCommand(args, fakeIo(), async () => ({
    runPmig: async (options) => {
      seen.push(options);
      return outcome;
    },
  }));
  return { code, options: seen[0]! };
}

describe('prom-migrator pmig', () => {
  it('takes flags before and after the name, and the kinds of kubectl before it', async () => {
    const { options } = await run(['-n', 'team-a', 'status', 'pmig/copy', '-o', 'json', '--context=staging']);
    assert.deepEqual(options, {
      ...{ action: 'status', name: 'copy', namespace: 'team-a', allNamespaces: false, output: 'json' },
      ...{ kubeconfig: undefined, context: 'staging', waitMs: undefined, to: undefined },
      operatorNamespace: 'prom-migrator-system',
    });
    assert.equal((await run(['watch', 'prommigrations.prom-migrator.io/copy.1'])).options.name, 'copy.1');
    assert.equal((await run(['status', '-A'])).options.allNamespaces, true);
    assert.equal((await run(['resume', 'copy', '--wait', '--timeout', '90s'])).options.waitMs, 90_000);
    assert.equal((await run(['report', 'copy', '--to', 'r'])).options.to, 'r');
  });

  const codes: [PmigOutcome, number][] = [
    ['done', 0],
    ['failed', 1],
    ['ended', 3],
    ['late', 5],
  ];
  for (const [outcome, expected] of codes)
    it(`ends with ${expected}: ${outcome}`, async () => {
      assert.equal((await run(['watch', 'copy'], outcome)).code, expected);
    });

  const mistakes: [string[], RegExp][] = [
    [[], /no action given: status, watch, suspend, resume, report/],
    [['stauts'], /must be one of .*did you mean status\?/],
    [['watch'], /watch needs the name of a PromMigration/],
    [['status', 'a', 'b'], /unexpected argument "b"/],
    [['status', '../x'], /"\.\.\/x" is not a name of an object/],
    [['status', 'copy', '-A'], /neither a name nor --namespace/],
    [['status', '-A', '-n', 'x'], /neither a name nor --namespace/],
    [['watch', 'copy', '--wait'], /--wait is for suspend and resume, not for watch/],
    [['status', 'copy', '--to', 'x'], /--to is for report, not for status/],
    [['suspend', 'copy', '--timeout', 'soon'], /--timeout takes a duration/],
  ];
  for (const [args, message] of mistakes)
    it(`refuses ${args.join(' ') || 'nothing'}`, async () => {
      await assert.rejects(run(args), (error) => error instanceof UsageError && message.test(error.message));
    });
});
