// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of relabel rules, not of JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { RelabelRule } from '../../../src/migration/plan/migration-plan.ts';
import { compileLabelTransform, labelProblem, relabelRuleProblem } from '../../../src/migration/series/relabel.ts';

const defaults: RelabelRule = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: '(.*)',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
};

type Labels = Record<string, string>;

function relabel(labels: Labels, rules: Partial<RelabelRule>[], externalLabels: Labels = {}): Labels | 'dropped' {
  const transform = compileLabelTransform({
    relabelings: rules.map((rule) => ({ ...defaults, ...rule })),
    externalLabels,
  });
  assert.ok(transform);
  const result = transform(Object.entries(labels));
  return result === undefined ? 'dropped' : Object.fromEntries(result);
}

interface Vector {
  labels: Labels;
  externalLabels: Labels;
  relabelings: RelabelRule[];
  /** The result of model/relabel of Prometheus v0.316.0 (3.16). */
  result: [string, string][] | 'dropped' | 'invalid';
}

describe('relabelling', () => {
  describe('like Prometheus 3.16', () => {
    const file = readFileSync(new URL('../support/relabel-vectors.jsonl', import.meta.url), 'utf8');
    const vectors: Vector[] = file
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

    it('is tested with vectors of every action and outcome', () => {
      assert.ok(vectors.length >= 100);
      assert.equal(new Set(vectors.flatMap((vector) => vector.relabelings.map((rule) => rule.action))).size, 11);
      for (const outcome of ['dropped', 'invalid']) assert.ok(vectors.some((vector) => vector.result === outcome));
    });

    for (const [index, { labels, externalLabels, relabelings, result }] of vectors.entries()) {
      it(`vector ${index}: ${relabelings.map((rule) => rule.action).join(', ')}`, () => {
        const problems = relabelings.map(relabelRuleProblem).filter((problem) => problem !== undefined);
        if (result === 'invalid') {
          assert.notDeepEqual(problems, []);
          assert.throws(() => compileLabelTransform({ relabelings, externalLabels }), TypeError);
          return;
        }
        assert.deepEqual(problems, []);
        const transform = compileLabelTransform({ relabelings, externalLabels });
        assert.deepEqual(transform?.(Object.entries(labels).reverse()), result === 'dropped' ? undefined : result);
      });
    }
  });

  it('is undefined without rules and labels', () => {
    assert.equal(compileLabelTransform({ relabelings: [], externalLabels: {} }), undefined);
    assert.equal(compileLabelTransform({ relabelings: [], externalLabels: { empty: '' } }), undefined);
  });

  describe('external labels', () => {
    it('are added when the series has no label of that name', () => {
      assert.deepEqual(
        relabel({ __name__: 'up', job: 'own', none: '' }, [], { job: 'external', region: 'eu', none: 'now' }),
        {
          __name__: 'up',
          job: 'own',
          none: 'now',
          region: 'eu',
        },
      );
    });

    it('are visible to the rules', () => {
      assert.equal(
        relabel({ __name__: 'up' }, [{ action: 'drop', sourceLabels: ['region'], regex: 'eu' }], { region: 'eu' }),
        'dropped',
      );
    });
  });

  describe('replacement', () => {
    const source = { __name__: 'up', from: 'node-12:9100' };
    const regex = '(?P<host>\\w+)-(\\d+):(\\d+)(x)?';
    const table: [replacement: string, value: string | undefined][] = [
      ['$1', 'node'],
      ['$2x', undefined],
      ['${2}x', '12x'],
      ['$$2', '$2'],
      ['$host!', 'node!'],
      ['$host_', undefined],
      ['${host}_$3', 'node_9100'],
      ['$0', 'node-12:9100'],
      ['$4', undefined],
      ['$5', undefined],
      ['$02', undefined],
      ['a$', 'a$'],
      ['${', '${'],
      ['${2', '${2'],
      ['$-', '$-'],
      ['${constructor}', undefined],
      ['', undefined],
    ];
    for (const [replacement, value] of table) {
      it(`${JSON.stringify(replacement)} gives ${JSON.stringify(value)}`, () => {
        const result = relabel({ ...source, to: 'before' }, [
          { sourceLabels: ['from'], regex, targetLabel: 'to', replacement },
        ]);
        assert.deepEqual(result, value === undefined ? source : { ...source, to: value });
      });
    }
  });

  it('anchors a regex at both ends and lets the dot match a newline', () => {
    const keep = (value: string, regex: string) =>
      relabel({ __name__: value }, [{ action: 'keep', sourceLabels: ['__name__'], regex }]) !== 'dropped';
    assert.equal(keep('node_load1', 'node_load'), false);
    assert.equal(keep('xnode', 'node'), false);
    assert.equal(keep('b', 'a|b'), true);
    assert.equal(keep('ab', 'a|b'), false);
    assert.equal(keep('a\nb', 'a.b'), true);
    assert.equal(keep('a\n', 'a'), false);
  });

  it('writes to a label whose name comes from the match, and to none when that is not a valid name', () => {
    const rule = { sourceLabels: ['from'], regex: '(\\w*)=(\\w*)', targetLabel: '$1', replacement: '$2' };
    assert.deepEqual(relabel({ __name__: 'up', from: 'to=value' }, [rule]), {
      __name__: 'up',
      from: 'to=value',
      to: 'value',
    });
    assert.deepEqual(relabel({ __name__: 'up', from: '=value' }, [rule]), { __name__: 'up', from: '=value' });
  });

  it('shards by the hash that Prometheus computes', () => {
    const rule: Partial<RelabelRule> = {
      action: 'hashmod',
      sourceLabels: ['a', 'b'],
      modulus: 1000,
      targetLabel: 'shard',
    };
    // md5sum of "foo;bar": 2d00e96b8b7d9e32 ddadc4ed9df31f3e.
    const shard = String(0xddadc4ed9df31f3en % 1000n);
    assert.deepEqual(relabel({ __name__: 'x', a: 'foo', b: 'bar' }, [rule]), {
      __name__: 'x',
      a: 'foo',
      b: 'bar',
      shard,
    });
  });

  it('maps letters one to one, like Go', () => {
    const change = (action: 'lowercase' | 'uppercase', text: string) =>
      relabel({ __name__: text }, [{ action, sourceLabels: ['__name__'], targetLabel: '__name__' }]);
    assert.deepEqual(change('lowercase', 'ΣΑΣ İ ẞ Ａ 𐐀'), { __name__: 'σασ i ß ａ 𐐨' });
    assert.deepEqual(change('uppercase', 'straße ŉ ﬁ ᾳ ᾧ ǆ 𐐨'), { __name__: 'STRAßE ŉ ﬁ ᾼ ᾯ Ǆ 𐐀' });
  });

  it('evaluates a pathological regex quickly', () => {
    const rule: Partial<RelabelRule> = { action: 'drop', sourceLabels: ['__name__'], regex: '(a*)*(a|a?)+b' };
    const startMs = performance.now();
    assert.notEqual(relabel({ __name__: 'a'.repeat(5000) }, [rule]), 'dropped');
    assert.ok(performance.now() - startMs < 8000);
  });

  it('leaves a series with a duplicate label unchanged', () => {
    const transform = compileLabelTransform({
      relabelings: [{ ...defaults, action: 'labeldrop', regex: '.*' }],
      externalLabels: {},
    });
    const twice: [string, string][] = [
      ['a', '1'],
      ['a', '2'],
    ];
    assert.deepEqual(transform?.(twice), twice);
  });

  it('does not modify its input, and returns labels in byte order', () => {
    const name = fc.constantFrom('a', 'B', '_', 'é', '\uffff', '😀', 'ab', '\ue000');
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, fc.string()), { selector: ([one]) => one }), (pairs) => {
        const before = JSON.stringify(pairs);
        const transform = compileLabelTransform({ relabelings: [], externalLabels: { __name__: 'up' } });
        const result = transform?.(pairs) ?? [];
        assert.equal(JSON.stringify(pairs), before);
        const names = result.map(([one]) => Buffer.from(one));
        assert.deepEqual(names, names.toSorted(Buffer.compare));
        assert.equal(result.length, pairs.filter(([, value]) => value !== '').length + 1);
      }),
    );
  });

  describe('invalid rules', () => {
    const table: [string, Partial<RelabelRule>, RegExp][] = [
      ['an invalid regex', { targetLabel: 'a', regex: '(' }, /RE2/],
      ['a look-ahead, which RE2 does not support', { targetLabel: 'a', regex: '(?=a)' }, /RE2/],
      ['a back reference, which RE2 does not support', { targetLabel: 'a', regex: '(a)\\1' }, /RE2/],
      ['a regex that breaks out of its anchors', { targetLabel: 'a', regex: 'a)|(b' }, /RE2/],
      ['replace without a target', {}, /needs a targetLabel/],
      ['a hashmod without a modulus', { action: 'hashmod', targetLabel: 'a' }, /modulus/],
      ['a hashmod with an invalid modulus', { action: 'hashmod', targetLabel: 'a', modulus: 1.5 }, /modulus/],
      ['a labelmap to nothing', { action: 'labelmap', replacement: '' }, /replacement/],
      ['a labeldrop with sources', { action: 'labeldrop', sourceLabels: ['a'] }, /sourceLabels/],
      ['a labelkeep with a replacement', { action: 'labelkeep', replacement: 'x' }, /replacement/],
      ['a lowercase with a replacement', { action: 'lowercase', targetLabel: 'a', replacement: 'x' }, /replacement/],
      ['a keepequal with a regex', { action: 'keepequal', targetLabel: 'a', regex: 'x' }, /regex/],
    ];
    for (const [name, rule, problem] of table) {
      it(`${name} is rejected`, () => {
        assert.match(relabelRuleProblem({ ...defaults, ...rule }) ?? '', problem);
      });
    }
  });
});

describe('labels that no receiver stores', () => {
  const table: [string, [string, string][], RegExp | undefined][] = [
    ['no labels', [], /no labels/],
    ['no name', [['job', 'a']], /no label "__name__"/],
    ['an empty name', [['__name__', '']], /is empty/],
    [
      'a label without a name',
      [
        ['__name__', 'up'],
        ['', 'x'],
      ],
      /empty name/,
    ],
    [
      'a duplicate label',
      [
        ['__name__', 'up'],
        ['a', '1'],
        ['a', '2'],
      ],
      /"a" appears twice/,
    ],
    [
      'a lone surrogate in a value',
      [
        ['__name__', 'up'],
        ['a', '\ud83d'],
      ],
      /value of label "a"/,
    ],
    [
      'a lone surrogate in a name',
      [
        ['__name__', 'up'],
        ['\ude00', 'a'],
      ],
      /label name/,
    ],
    [
      'an ordinary series',
      [
        ['__name__', 'up'],
        ['job', 'x'],
      ],
      undefined,
    ],
    [
      'a UTF-8 name',
      [
        ['__name__', 'http.duración'],
        ['ü.b', '\n'],
      ],
      undefined,
    ],
  ];
  for (const [name, pairs, problem] of table) {
    it(`${name}: ${problem === undefined ? 'valid' : 'detected'}`, () => {
      if (problem === undefined) assert.equal(labelProblem(pairs), undefined);
      else assert.match(labelProblem(pairs) ?? '', problem);
    });
  }
});
