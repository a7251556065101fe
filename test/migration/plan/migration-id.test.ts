import assert from 'node:assert/strict';
import { type CopyDefinition, migrationId } from '../../../src/migration/plan/plan.ts';
import { SecretUrl } from '../../../src/telemetry/secret.ts';
import type { Changes } from '../../api/manifests.ts';
import { secretValues } from '../../support/secrets.ts';
import { planOf } from '../support/compiled-plan.ts';

describe('the id of a migration', () => {
  const remoteRead = { protocol: 'RemoteRead', replicaLabels: [], url: new SecretUrl('http://s/read') } as const;
  const copy: CopyDefinition = {
    source: { ...remoteRead, headers: secretValues({ 'X-Scope-OrgID': 't', b: '1' }) },
    selectors: [
      [
        { kind: '=', name: '__name__', value: 'up' },
        { kind: '!=', name: 'a', value: 'b' },
      ],
      [{ kind: '=~', name: 'c', value: 'd' }],
    ],
    relabelings: [
      {
        action: 'labeldrop',
        sourceLabels: [],
        separator: ';',
        regex: 'x',
        modulus: 0,
        targetLabel: '',
        replacement: '$1',
      },
      {
        action: 'labeldrop',
        sourceLabels: [],
        separator: ';',
        regex: 'y',
        modulus: 0,
        targetLabel: '',
        replacement: '$1',
      },
    ],
    externalLabels: { x: '1', y: '2' },
    startMs: 1000,
  };

  // Changing this value would restart every unfinished migration from the beginning.
  it('is stable between versions', () => assert.equal(migrationId(copy), '0ac9c0d8670edc15'));

  it('does not depend on the order of unordered fields', () => {
    const { selectors, externalLabels } = copy;
    const reverse = <T extends object>(object: T) => Object.fromEntries(Object.entries(object).reverse()) as T;
    const other: CopyDefinition = {
      ...copy,
      source: { ...remoteRead, headers: secretValues({ B: '1', 'x-scope-orgid': 't' }) },
      selectors: [...selectors, ...selectors].map((matchers) => [...matchers].reverse()).reverse(),
      externalLabels: reverse(externalLabels),
    };
    assert.equal(migrationId(other), migrationId(copy));
  });

  const different: readonly (readonly [string, CopyDefinition])[] = [
    ['the source', { ...copy, source: { ...copy.source, url: new SecretUrl('http://s/read?x') } }],
    ['the tenant', { ...copy, source: { ...copy.source, headers: secretValues({ 'X-Scope-OrgID': 'u', b: '1' }) } }],
    ['the protocol', { ...copy, source: { ...copy.source, protocol: 'ThanosStore' } }],
    ['a replica label', { ...copy, source: { ...copy.source, replicaLabels: ['replica'] } }],
    ['a selector', { ...copy, selectors: copy.selectors.slice(0, 1) }],
    ['a matcher', { ...copy, selectors: [[{ kind: '=', name: 'c', value: 'd' }]] }],
    ['the order of the rules', { ...copy, relabelings: [...copy.relabelings].reverse() }],
    ['a rule', { ...copy, relabelings: copy.relabelings.slice(0, 1) }],
    ['a label', { ...copy, externalLabels: { x: '1', y: '3' } }],
    ['the start', { ...copy, startMs: 1001 }],
  ];
  for (const [name, other] of different) {
    it(`changes with ${name}`, () => assert.notEqual(migrationId(other), migrationId(copy)));
  }

  it('does not change when a default is written out or when other fields change', () => {
    const { id } = planOf({});
    const same: readonly Changes[] = [
      { 'spec.selectors': ['{__name__=~".+"}'] },
      { 'spec.selectors': ["{ __name__ =~ '.+', }"] },
      { 'spec.timeRange.start': '2024-01-01T01:00:00+01:00' },
      { 'spec.timeRange.end': '2025-01-01T00:00:00Z' },
      { 'spec.destination.url': 'http://other/', 'spec.destination.ordering': 'Any' },
      { 'spec.window': { max: '5m' }, 'spec.limits': { inFlightWrites: 1 }, 'spec.rejectedSamples': 'Skip' },
      { 'metadata.name': 'n', 'spec.source.timeouts': { connect: '1s' } },
      { 'spec.verification': { mode: 'Full', onDifference: 'Repair', onExtra: 'Ignore', settle: '1m' } },
      {
        'spec.destination.ordering': 'Any',
        'spec.execution': {
          mode: 'Job',
          parallelism: 7,
          stretch: '4h',
          order: 'NewestFirst',
          job: { podLabels: { a: 'b' } },
        },
      },
    ];
    for (const changes of same) assert.equal(planOf(changes).id, id, JSON.stringify(changes));
  });
});
