import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatSelector, parseSelector, regexProblem, type SelectorMatcher } from '../../src/api/selector.ts';

function matchersOf(text: string): string[] {
  const parsed = parseSelector(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.message);
  return parsed.matchers.map(({ name, kind, value }) => `${name}${kind}${value}`);
}

describe('series selectors', () => {
  const good: readonly [string, readonly string[]][] = [
    ['up', ['__name__=up']],
    ['  up  ', ['__name__=up']],
    ['job:rate:sum', ['__name__=job:rate:sum']],
    ['up{}', ['__name__=up']],
    ['sum', ['__name__=sum']],
    ['offset', ['__name__=offset']],
    ['{__name__=~".+"}', ['__name__=~.+']],
    ['http{code!~"2..",env="prod",by=~"a|b",x!="y"}', ['__name__=http', 'code!~2..', 'env=prod', 'by=~a|b', 'x!=y']],
    ['up{a="b",}', ['__name__=up', 'a=b']],
    ['up { a = "b" , c != \'d\' }', ['__name__=up', 'a=b', 'c!=d']],
    ['up{\n  a="b", # a comment, with }\n  c="d"\n}', ['__name__=up', 'a=b', 'c=d']],
    ['{"my.metric"}', ['__name__=my.metric']],
    ['{"my.metric", "label.x"="y"}', ['__name__=my.metric', 'label.x=y']],
    ['{"label.x"=~"y", "my.metric"}', ['label.x=~y', '__name__=my.metric']],
    ['{__name__="a",__name__=~"a|b"}', ['__name__=a', '__name__=~a|b']],
    ['up{a=""}', ['__name__=up', 'a=']],
    ['{a="b",c=~".*"}', ['a=b', 'c=~.*']],
    ['{a!=""}', ['a!=']],
    ['{a!~".*x|"}', ['a!~.*x|']],
    ['{a="\\"\\\\\\n\\t\\x41\\101\\u00e9\\U0001F600"}', ['a="\\\n\tAAé😀']],
    ["{a='it\\'s \"x\"'}", ['a=it\'s "x"']],
    ['{a=`raw \\d "x"\nline`}', ['a=raw \\d "x"\nline']],
    ['{a="\\xc3\\xa9"}', ['a=é']],
    ['{a="é😀"}', ['a=é😀']],
  ];
  for (const [text, matchers] of good) {
    it(`parses ${JSON.stringify(text)}`, () => assert.deepEqual(matchersOf(text), matchers));
  }

  const bad: readonly [string, string][] = [
    ['', 'expected a metric name or { (at character 1)'],
    ['# nothing', 'expected a metric name or { (at character 10)'],
    ['{}', 'must contain at least one matcher that does not match the empty string, such as __name__=~".+"'],
    ['{a=~".*"}', 'must contain at least one matcher that does not match the empty string, such as __name__=~".+"'],
    [
      '{a="",b!="x",c!~"d"}',
      'must contain at least one matcher that does not match the empty string, such as __name__=~".+"',
    ],
    ['up[5m]', 'a range is not allowed here; use spec.timeRange (at character 3)'],
    ['up offset 5m', 'offset and @ are not allowed here; use spec.timeRange (at character 4)'],
    ['up @ 1', 'offset and @ are not allowed here; use spec.timeRange (at character 4)'],
    ['rate(up[5m])', 'functions are not allowed here, only a series selector (at character 5)'],
    ['up + down', 'unexpected text after the series selector (at character 4)'],
    ['up{a="b"} {c="d"}', 'unexpected text after the series selector (at character 11)'],
    ['up{a="b"', 'expected , or } (at character 9)'],
    ['up{', 'expected a label name or } (at character 4)'],
    ['up{,}', 'expected a label name or } (at character 4)'],
    ['up{a}', 'expected one of = != =~ !~ (at character 5)'],
    ['up{a=b}', 'expected a value in quotes (at character 6)'],
    ['up{a=="b"}', 'expected a value in quotes (at character 6)'],
    ['up{a:b="c"}', 'expected one of = != =~ !~ (at character 5)'],
    ['up{a="b" c="d"}', 'expected , or } (at character 10)'],
    ['up{a="b}', 'the string that starts here is not closed (at character 6)'],
    ['up{a="b\n"}', 'the string that starts here is not closed (at character 6)'],
    ['up{a=`b}', 'the string that starts here is not closed (at character 6)'],
    ['up{a="\\d"}', 'unknown escape sequence; use \\\\ for a backslash (at character 7)'],
    ['up{a="\\\'"}', 'unknown escape sequence; use \\\\ for a backslash (at character 7)'],
    ['up{a="\\ud800"}', 'unknown escape sequence; use \\\\ for a backslash (at character 7)'],
    ['up{a="\\400"}', 'unknown escape sequence; use \\\\ for a backslash (at character 7)'],
    ['up{a="\\xff"}', 'the string that starts here is not UTF-8 (at character 6)'],
    ['up{__name__="down"}', 'the metric name is set twice (at character 20)'],
    ['up{"down"}', 'the metric name is set twice (at character 11)'],
    ['{"up","down"}', 'the metric name is set twice (at character 13)'],
    ['{"up",__name__="down"}', 'the metric name is set twice (at character 23)'],
    ['{""="x"}', 'a label name cannot be empty (at character 5)'],
    ['5m', 'expected a metric name or { (at character 1)'],
  ];
  for (const [text, message] of bad) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.deepEqual(parseSelector(text), { ok: false, message }));
  }

  it('rejects a regular expression that is not valid RE2', () => {
    const parsed = parseSelector('{a=~"(?=x)"}');
    assert.ok(!parsed.ok);
    assert.match(parsed.message, /^the value of a is not a valid RE2 regular expression: .* \(at character 12\)$/);
  });

  it('keeps a regular expression inside its anchors', () => {
    assert.match(regexProblem('a)|(b') ?? '', /^not a valid RE2 regular expression/);
    assert.equal(regexProblem('a|b'), undefined);
  });

  it('parses the text that it formats', () => {
    const matcher: fc.Arbitrary<SelectorMatcher> = fc.oneof(
      fc.record(
        {
          kind: fc.constantFrom('=' as const, '!=' as const),
          name: fc.string({ unit: 'grapheme', minLength: 1 }),
          value: fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        },
        { noNullPrototype: true },
      ),
      fc.record(
        {
          kind: fc.constantFrom('=~' as const, '!~' as const),
          name: fc.constantFrom('a', 'label.x', 'é'),
          value: fc.constantFrom('a|b', '.*', '\\d+"\\\\', '[^"]', ''),
        },
        { noNullPrototype: true },
      ),
    );
    const never: SelectorMatcher = { kind: '!=', name: 'never', value: '' };
    fc.assert(
      fc.property(fc.array(matcher), (some) => {
        const matchers = [never, ...some];
        assert.deepEqual(parseSelector(formatSelector(matchers)), { ok: true, matchers });
      }),
    );
  });

  it('returns a selector or an error for any text', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '"',
      "'",
      '`',
      '\\',
      'x',
      'u',
      '=',
      '~',
      '!',
      ',',
      'a',
      '#',
      '\n',
      '(',
      '[',
      '0',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          assert.equal(typeof parseSelector(text).ok, 'boolean');
        },
      ),
    );
  });
});

describe('a formatted selector', () => {
  it('quotes values, and names that are not identifiers', () => {
    const text = formatSelector([
      { kind: '=', name: '__name__', value: 'a"b\\c\nd' },
      { kind: '!~', name: 'dotted.name', value: 'x|y' },
    ]);
    assert.equal(text, '{__name__="a\\"b\\\\c\\nd","dotted.name"!~"x|y"}');
  });
});
