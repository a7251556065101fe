import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import {
  ALL_NAMES,
  hasName,
  type NamePartition,
  partitionMatchers,
  splitNames,
} from '../../../src/migration/series/name-partition.ts';

/** How a server matches names: Prometheus 3 sets the s flag, Prometheus 2 does not. */
function selector(partition: NamePartition, flags: 's' | ''): (name: string) => boolean {
  const tests = partitionMatchers(partition).map(({ kind, name: label, value }) => {
    assert.equal(label, '__name__');
    if (kind === '=') return (name: string) => name === value;
    const regex = RE2JS.compile(`^(?${flags}:${value})$`);
    return (name: string) => regex.test(name) === (kind === '=~');
  });
  return (name) => tests.every((test) => test(name));
}

const metrics = [
  'ALERTS',
  'ALERTS_FOR_STATE',
  'apiserver_request_duration_seconds_bucket',
  'apiserver_request_duration_seconds_count',
  'apiserver_request_duration_seconds_sum',
  'apiserver_request_total',
  'cluster:node_cpu:ratio_rate5m',
  'container_cpu_usage_seconds_total',
  'container_fs_reads_total',
  'container_memory_rss',
  'container_memory_working_set_bytes',
  'container_network_receive_bytes_total',
  'container_network_transmit_bytes_total',
  'etcd_disk_wal_fsync_duration_seconds_bucket',
  'etcd_server_has_leader',
  'go_gc_duration_seconds',
  'go_goroutines',
  'go_memstats_alloc_bytes',
  'go_memstats_heap_objects',
  'go_threads',
  'http_request_duration_seconds_bucket',
  'http_request_duration_seconds_count',
  'http_requests_total',
  'job:http_requests:rate5m',
  'kube_deployment_status_replicas',
  'kube_node_info',
  'kube_pod_container_info',
  'kube_pod_info',
  'kube_pod_labels',
  'kube_pod_owner',
  'kube_pod_status_phase',
  'kubelet_runtime_operations_total',
  'kubelet_volume_stats_used_bytes',
  'namespace_memory:kube_pod:sum',
  'node_boot_time_seconds',
  'node_cpu_guest_seconds_total',
  'node_cpu_seconds_total',
  'node_disk_io_now',
  'node_disk_read_bytes_total',
  'node_filesystem_avail_bytes',
  'node_filesystem_size_bytes',
  'node_load1',
  'node_load15',
  'node_load5',
  'node_memory_MemFree_bytes',
  'node_memory_MemTotal_bytes',
  'node_network_receive_bytes_total',
  'node_scrape_collector_success',
  'node_systemd_unit_state',
  'process_cpu_seconds_total',
  'process_open_fds',
  'process_resident_memory_bytes',
  'prometheus_tsdb_head_series',
  'prometheus_tsdb_head_chunks',
  'redis_connected_clients',
  'rest_client_requests_total',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'up',
  'workqueue_depth',
];

/** Splits until no part contains more than `most` of the names. */
function partsOf(names: string[], most: number, seen: 'none' | 'all'): { parts: NamePartition[]; deepest: number } {
  const parts: NamePartition[] = [];
  let deepest = 0;
  const visit = (partition: NamePartition, depth: number) => {
    const inside = names.filter((name) => hasName(partition, name));
    const halves = inside.length <= most ? undefined : splitNames(partition, seen === 'all' ? inside : []);
    if (halves === undefined) {
      parts.push(partition);
      deepest = Math.max(deepest, depth);
      return;
    }
    for (const half of halves) visit(half, depth + 1);
  };
  visit(ALL_NAMES, 0);
  return { parts, deepest };
}

const odd = fc.constantFrom(
  '',
  '\0',
  '\n',
  '\r\n',
  '.',
  '-',
  ']',
  '[',
  '^',
  '\\',
  '$',
  '(',
  ')',
  '{',
  '|',
  '*',
  'é',
  'ß',
  '中',
  '\u2028',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '😀',
  '\u{10ffff}',
);
const anyName = fc.oneof(
  fc.constantFrom(...metrics),
  fc
    .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...'abcxyz_:09AZ') }, { weight: 1, arbitrary: odd }), {
      maxLength: 8,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

describe('name partition', () => {
  it('selects everything without a matcher', () => {
    assert.deepEqual(partitionMatchers(ALL_NAMES), []);
  });

  it('splits all names so that half of the usual ones are on either side', () => {
    assert.deepEqual(splitNames(ALL_NAMES), [
      { from: '', to: 'j' },
      { from: 'j', to: undefined },
    ]);
  });

  it('expresses a lower and an upper bound as complements of regexes', () => {
    assert.deepEqual(partitionMatchers({ from: 'go', to: 'k' }), [
      {
        kind: '=~',
        name: '__name__',
        value: '(?:[h-\\x{10ffff}](?:.|\\n)*|g(?:[p-\\x{10ffff}](?:.|\\n)*|o(?:.|\\n)*))',
      },
      { kind: '!~', name: '__name__', value: '(?:[l-\\x{10ffff}](?:.|\\n)*|k(?:.|\\n)*)' },
    ]);
  });

  it('selects one exact name by equality, and does not split it', () => {
    for (const name of ['up', '', 'näme.with\nline', '\u{10ffff}']) {
      const exact = { from: name, to: `${name}\0` };
      assert.equal(splitNames(exact), undefined);
      assert.deepEqual(partitionMatchers(exact), [{ kind: '=', name: '__name__', value: name }]);
    }
  });

  it('covers every name exactly once, whatever was split, on old and new servers', () => {
    const path = fc.array(fc.record({ lower: fc.boolean(), seen: fc.array(anyName, { maxLength: 3 }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(path, fc.array(anyName, { minLength: 1, maxLength: 12 }), (steps, names) => {
        const parts: NamePartition[] = [];
        let rest = ALL_NAMES;
        for (const { lower, seen } of steps) {
          const halves = splitNames(rest, seen);
          if (halves === undefined) break;
          rest = halves[lower ? 0 : 1];
          parts.push(halves[lower ? 1 : 0]);
        }
        parts.push(rest);
        const bounds = parts.flatMap((part) => [part.from, part.to ?? '']);
        const probes = [
          ...names,
          ...bounds,
          ...bounds.map((bound) => `${bound}\n`),
          ...bounds.map((bound) => bound.slice(0, -1)),
        ];
        for (const flags of ['s', ''] as const) {
          const selectors = parts.map((part) => ({ part, selects: selector(part, flags) }));
          for (const name of probes.filter((one) => one.isWellFormed())) {
            const found = selectors.filter(({ selects }) => selects(name));
            assert.equal(found.length, 1, `${JSON.stringify(name)} is in ${JSON.stringify(found)}`);
            assert.ok(found[0] && hasName(found[0].part, name));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('isolates any name within nine splits per character', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...metrics), fc.stringMatching(/^[A-Za-z0-9_:]{0,40}$/)), (name) => {
        let partition: NamePartition | undefined = ALL_NAMES;
        let splits = 0;
        for (;;) {
          const halves: readonly NamePartition[] | undefined = splitNames(partition);
          if (halves === undefined) break;
          partition = halves.find((half) => hasName(half, name));
          assert.ok(partition);
          splits++;
        }
        assert.deepEqual(partition, { from: name, to: `${name}\0` });
        assert.ok(splits <= 9 * (name.length + 1), `${splits} splits for ${name}`);
      }),
    );
  });

  it('isolates a name in any script in a bounded number of splits', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        let partition: NamePartition | undefined = ALL_NAMES;
        let splits = 0;
        for (let halves = splitNames(partition); halves !== undefined; halves = splitNames(partition)) {
          partition = halves.find((half) => hasName(half, name));
          assert.ok(partition);
          splits++;
        }
        assert.ok(splits <= 30 * ([...name].length + 1), `${splits} splits for ${JSON.stringify(name)}`);
      }),
    );
  });

  it('needs few splits for the metrics of a typical server', () => {
    const { parts, deepest } = partsOf(metrics, 10, 'none');
    assert.ok(parts.length <= 32, `${parts.length} parts`);
    assert.ok(deepest <= 28, `${deepest} deep`);
  });

  it('needs the minimum number of splits when the names are known', () => {
    const { parts, deepest } = partsOf(metrics, 8, 'all');
    assert.equal(parts.length, 8);
    assert.equal(deepest, 3);
  });

  it('isolates a single large metric in two splits when its name is known', () => {
    const [, above] = splitNames(ALL_NAMES, ['node_cpu_seconds_total']) ?? [];
    assert.deepEqual(above, { from: 'node_cpu_seconds_total', to: undefined });
    assert.deepEqual(splitNames(above, ['node_cpu_seconds_total']), [
      { from: 'node_cpu_seconds_total', to: 'node_cpu_seconds_total\0' },
      { from: 'node_cpu_seconds_total\0', to: undefined },
    ]);
  });

  it('ignores names that are outside its range, too long or invalid', () => {
    const partition = { from: 'k', to: 'p' };
    assert.deepEqual(splitNames(partition, ['a', 'z', `m${'x'.repeat(300)}`, 'm\ud800']), splitNames(partition));
  });
});
