import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { LogFormat, LogLevel } from '../../src/telemetry/log-options.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Secret, SecretUrl } from '../../src/telemetry/secret.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) };

function logged(
  message: string,
  fields: Record<string, unknown> = {},
  format: LogFormat = 'text',
  colour = false,
): string {
  const lines: string[] = [];
  createLogger({ level: 'debug', format, colour, clock, write: (line) => lines.push(line) }).info(message, fields);
  assert.equal(lines.length, 1, 'one line, and at once');
  return lines[0] ?? '';
}

const text = (fields: Record<string, unknown>) => logged('m', fields).slice('2026-01-02T03:04:05.678Z info  m '.length);

describe('the logger', () => {
  it('writes text lines in logfmt', () => {
    assert.equal(
      logged('window split', { by: 'time', samples: 3, note: 'two words', empty: '', none: undefined }),
      '2026-01-02T03:04:05.678Z info  window split by=time samples=3 note="two words" empty=""',
    );
  });

  it('writes one JSON object per line, in which no field replaces time, level or message', () => {
    assert.deepEqual(JSON.parse(logged('hello', { level: 'x', message: 'y', n: 1, list: [1, 'a'] }, 'json')), {
      time: '2026-01-02T03:04:05.678Z',
      level: 'info',
      message: 'hello',
      level_: 'x',
      message_: 'y',
      n: 1,
      list: [1, 'a'],
    });
  });

  it('omits messages below its level', () => {
    const levels: [LogLevel, string[]][] = [
      ['error', ['e']],
      ['warn', ['e', 'w']],
      ['info', ['e', 'w', 'i']],
      ['debug', ['e', 'w', 'i', 'd']],
    ];
    for (const [level, messages] of levels) {
      const lines: string[] = [];
      const log = createLogger({ level, format: 'text', colour: false, clock, write: (line) => lines.push(line) });
      log.error('e');
      log.warn('w');
      log.info('i');
      log.debug('d');
      assert.deepEqual(
        lines.map((line) => line.at(-1)),
        messages,
      );
    }
  });

  it('does not format a message below its level', () => {
    const noClock = {
      now: (): number => {
        throw new Error('it is formatted');
      },
    };
    const log = createLogger({ level: 'info', format: 'json', colour: false, clock: noClock, write: () => undefined });
    log.debug('request', { side: 'source' });
    assert.throws(() => log.info('request'), /it is formatted/);
  });

  it('colors only the level, and only on request', () => {
    assert.equal(logged('m', {}, 'text', true), '2026-01-02T03:04:05.678Z \u001b[32minfo \u001b[39m m');
  });

  describe('never shows', () => {
    const secret = new Secret('hunter2');
    const holders: [string, Record<string, unknown>][] = [
      ['a Secret', { value: secret }],
      ['a Secret inside objects and lists', { value: { deep: [{ deeper: secret }] } }],
      ['a Secret in a Map', { value: new Map([['x', secret]]) }],
      ['a URL with credentials', { value: new SecretUrl('http://me:hunter2@host/?p=hunter2') }],
      ['a Secret in a template', { value: `${secret}` }],
      [
        'a field whose name looks like a secret',
        { password: 'hunter2', headers: { Authorization: 'Bearer hunter2', 'X-Api-Key': 'hunter2' } },
      ],
      ['userinfo in a URL', { url: 'http://me:hunter2@host/api' }],
      ['a query value in a URL', { url: new URL('http://host/write?db=x&p=hunter2') }],
      ['a URL with userinfo inside a text', { note: 'GET http://me:hunter2@host:9090/x: refused' }],
      ['a URL that does not parse', { note: 'bad URL "http://me:hunter2@:70000/"' }],
      ['a URL in an error', { error: new Error('connect to https://me:hunter2@host failed') }],
      ['the stack or the cause of an error', { error: new Error('failed', { cause: new Error('hunter2') }) }],
      [
        'fields of an error other than message and code',
        { error: Object.assign(new Error('failed'), { options: { p: 'hunter2' } }) },
      ],
      ['bytes', { body: Buffer.from('hunter2') }],
    ];
    for (const [name, fields] of holders) {
      it(name, () => {
        for (const format of ['text', 'json'] as const) {
          const line = logged('m', fields, format);
          assert.ok(!line.includes('hunter2'), line);
        }
      });
    }

    it('a password in a URL in the message', () => {
      assert.equal(
        logged('read from http://me:pw@host/r?p=x, twice').slice(31),
        'read from http://host/r?p=***, twice',
      );
    });
  });

  it('shows what is not secret: plain URLs verbatim, errors by code and message', () => {
    assert.equal(text({ url: 'http://host:9090/api/v1/read' }), 'url=http://host:9090/api/v1/read');
    assert.equal(
      text({ error: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
      'error="ECONNREFUSED: refused"',
    );
    assert.equal(text({ error: new Error('gone') }), 'error=gone');
    assert.equal(text({ secret: new Secret('x') }), 'secret=***');
  });

  it('escapes terminal control sequences and line breaks', () => {
    assert.equal(text({ label: 'a\u001b[2J\nb\u009bc\u202ed' }), 'label="a\\u001b[2J\\nb\\u009bc\\u202ed"');
    assert.equal(text({ label: 'say "x" \\ y=z' }), 'label="say \\"x\\" \\\\ y=z"');
    assert.equal(text({ 'a b=c\n': 1 }), 'a_b_c\\n=1');
  });

  it('never writes a control character, whatever its input, and its JSON can be parsed', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(anything, fc.dictionary(anything, fc.anything()), (message, fields) => {
        for (const format of ['text', 'json'] as const) {
          const line = logged(message, fields, format);
          assert.ok(!/[\p{Cc}\u2028\u2029]/u.test(line), JSON.stringify(line));
          if (format === 'json') JSON.parse(line);
        }
      }),
    );
  });

  it('keeps the start of a very long message', () => {
    const line = text({ body: 'x'.repeat(1_000_000) });
    assert.ok(line.length < 2100);
    assert.match(line, /x… \(998000 more characters\)"$/);
  });

  it('handles circular references', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop['self'] = loop;
    assert.match(text({ loop }), /^loop="\{/);
  });
});
