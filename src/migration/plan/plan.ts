// Compiles a PromMigration into the plan that the engine runs: every default filled in, every secret resolved, every text parsed.

import { createHash } from 'node:crypto';
import { originOf } from '../../api/origin.ts';
import type { Problem } from '../../api/problem.ts';
import type { PromMigration, PromMigrationSpec, Relabeling } from '../../api/prom-migration.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { SecretSource } from '../../api/secret-source.ts';
import { formatSelector, parseSelector } from '../../api/selector.ts';
import { parseTime } from '../../api/time.ts';
import type { Matcher, MigrationPlan, RelabelRule } from './migration-plan.ts';
import { longestWindowMs } from './window-bounds.ts';
import { EndpointResolver, inherit, NO_FIELDS, toEndpoint } from './plan-endpoint.ts';

export type CompiledPlan = { readonly plan: MigrationPlan } | { readonly problems: readonly Problem[] };

/**
 * The plan of a migration that `validateMigration` has accepted, deeply frozen. Otherwise every problem that shows only here: a missing Secret, a
 * key that does not match its certificate.
 */
export function compilePlan(migration: PromMigration, secrets: SecretSource): CompiledPlan {
  const { spec } = migration;
  const resolver = new EndpointResolver(secrets);
  const source = resolver.resolve(spec.source, ['spec', 'source']);
  const destination = resolver.resolve(spec.destination, ['spec', 'destination']);
  const { progress } = spec.destination;
  // None reads nothing back, so it needs no secret.
  const own =
    progress.protocol === 'None' ? NO_FIELDS : resolver.resolve(progress, ['spec', 'destination', 'progress']);

  const plan: Omit<MigrationPlan, 'id'> = {
    migration: `${migration.metadata.namespace ?? 'default'}/${migration.metadata.name}`,
    source: {
      ...toEndpoint('source', spec.source.url, source),
      protocol: spec.source.protocol,
      readMode: spec.source.readMode,
      maxFrameBytes: bytes(spec.source.maxFrameBytes, ['spec', 'source', 'maxFrameBytes'], resolver),
      replicaLabels: [...new Set(spec.source.replicaLabels ?? [])].sort(compareText),
    },
    destination: {
      ...toEndpoint('destination', spec.destination.url, destination),
      ordering: spec.destination.ordering,
    },
    progress:
      progress.protocol === 'None'
        ? { protocol: 'None' }
        : {
            protocol: progress.protocol,
            endpoint: toEndpoint('progress', progress.url ?? '', inherit(own, destination)),
          },
    progressLabels: { ...progress.labels },
    selectors: spec.selectors.map((selector, index) => matchersOf(selector, index, resolver)),
    ...compileRange(spec, resolver),
    window: compileWindow(spec, resolver),
    limits: {
      memoryBytes: bytes(spec.limits.memory, ['spec', 'limits', 'memory'], resolver),
      samplesPerSecond: spec.limits.samplesPerSecond,
      bytesPerSecond:
        spec.limits.bytesPerSecond === undefined
          ? undefined
          : bytes(spec.limits.bytesPerSecond, ['spec', 'limits', 'bytesPerSecond'], resolver),
      inFlightWrites: spec.limits.inFlightWrites,
      samplesPerWrite: spec.limits.samplesPerWrite,
    },
    execution: compileExecution(spec, resolver),
    rejectedSamples: spec.rejectedSamples,
    externalLabels: { ...spec.externalLabels },
    relabelings: (spec.relabelings ?? []).map(compileRelabeling),
    verification: {
      mode: spec.verification.mode,
      onDifference: spec.verification.onDifference,
      onExtra: spec.verification.onExtra,
      settleMs: resolver.duration(spec.verification.settle, ['spec', 'verification', 'settle']),
    },
    preflight: spec.preflight,
    stretch: undefined,
  };

  const { problems } = resolver;
  if (problems.length > 0) return { problems: problems.map((problem) => ({ ...originOf(migration), ...problem })) };
  return { plan: deepFreeze({ ...plan, id: migrationId(plan) }) };
}

/** What decides which samples are copied and under which labels. */
export type CopyDefinition = Pick<MigrationPlan, 'selectors' | 'relabelings' | 'externalLabels' | 'startMs'> & {
  /** The headers include the tenant's header. */
  readonly source: Pick<MigrationPlan['source'], 'protocol' | 'url' | 'headers' | 'replicaLabels'>;
};

/**
 * The first 16 hex digits of the SHA-256 of what defines the copy. It does not depend on the order of keys, headers, selectors and matchers, or
 * on whether a default is written out. It changes if other samples or labels would be copied. It is in the progress series of running
 * migrations: a change here makes them start again from the beginning.
 */
export function migrationId(copy: CopyDefinition): string {
  const headers = Object.entries(copy.source.headers).map(
    ([name, value]) => [name.toLowerCase(), value.reveal()] as const,
  );
  const definition = [
    'prom-migrator copy 1',
    copy.source.url.reveal(),
    headers.sort(byName),
    [...new Set(copy.selectors.map((matchers) => formatSelector([...matchers].sort(byMatcher))))].sort(),
    copy.relabelings.map((rule) => [
      rule.action,
      rule.sourceLabels,
      rule.separator,
      rule.regex,
      rule.modulus,
      rule.targetLabel,
      rule.replacement,
    ]),
    Object.entries(copy.externalLabels).sort(byName),
    copy.startMs,
    // Added later: those of remote_read stay as they were.
    ...(copy.source.protocol === 'RemoteRead' ? [] : [copy.source.protocol]),
    ...(copy.source.replicaLabels.length === 0 ? [] : [copy.source.replicaLabels]),
  ];
  return createHash('sha256').update(JSON.stringify(definition)).digest('hex').slice(0, 16);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byName(a: readonly [string, string], b: readonly [string, string]): number {
  return compareText(a[0], b[0]);
}

function byMatcher(a: Matcher, b: Matcher): number {
  return compareText(formatSelector([a]), formatSelector([b]));
}

function matchersOf(selector: string, index: number, resolver: EndpointResolver): readonly Matcher[] {
  const parsed = parseSelector(selector);
  if (parsed.ok) return parsed.matchers;
  // Without matchers it would select everything.
  resolver.report(
    ['spec', 'selectors', index],
    `must be a PromQL series selector: ${parsed.message}`,
    JSON.stringify(selector),
  );
  return [];
}

function compileRange(
  spec: PromMigrationSpec,
  resolver: EndpointResolver,
): Pick<MigrationPlan, 'startMs' | 'endMs' | 'lagMs'> {
  const { start, end, lag } = spec.timeRange;
  return {
    startMs: timeMs(start, 'start', resolver),
    endMs: end === undefined ? undefined : timeMs(end, 'end', resolver),
    lagMs: resolver.duration(lag, ['spec', 'timeRange', 'lag']),
  };
}

function timeMs(text: string, field: string, resolver: EndpointResolver): number {
  const parsedMs = parseTime(text);
  if (parsedMs !== undefined) return parsedMs;
  resolver.report(['spec', 'timeRange', field], 'must be an RFC 3339 time', JSON.stringify(text));
  return 0;
}

function compileWindow(
  { window, source, destination }: PromMigrationSpec,
  resolver: EndpointResolver,
): MigrationPlan['window'] {
  const maxMs = window.max === undefined ? undefined : resolver.duration(window.max, ['spec', 'window', 'max']);
  return {
    minMs: resolver.duration(window.min, ['spec', 'window', 'min']),
    maxMs: maxMs ?? longestWindowMs(source.protocol, destination.ordering),
    comparedMaxMs: maxMs ?? longestWindowMs(source.protocol, 'Any'),
    targetSamples: window.targetSamples,
  };
}

function compileExecution({ execution }: PromMigrationSpec, resolver: EndpointResolver): MigrationPlan['execution'] {
  const { mode, parallelism, stretch, order } = execution;
  const stretchMs = stretch === undefined ? undefined : resolver.duration(stretch, ['spec', 'execution', 'stretch']);
  return { mode, parallelism, stretchMs, order };
}

function bytes(quantity: string, path: readonly string[], resolver: EndpointResolver): number {
  const parsed = parseQuantity(quantity);
  if (parsed !== undefined && parsed > 0) return Math.floor(parsed);
  resolver.report(path, 'must be a number of bytes such as 256Mi', JSON.stringify(quantity));
  return 0;
}

function compileRelabeling(rule: Relabeling): RelabelRule {
  return {
    action: rule.action,
    sourceLabels: [...(rule.sourceLabels ?? [])],
    separator: rule.separator,
    regex: rule.regex,
    modulus: rule.modulus ?? 0,
    targetLabel: rule.targetLabel ?? '',
    replacement: rule.replacement,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const field of Object.values(value)) deepFreeze(field);
    Object.freeze(value);
  }
  return value;
}
