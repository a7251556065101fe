// Every series that the alerts and the dashboard may ask for: the engine's catalogue and the operator's.
import { OPERATOR_METRICS } from '../../src/operator/operator-metrics.ts';
import { METRICS, type MetricDefinition } from '../../src/telemetry/metric-catalogue.ts';

const definitions: readonly MetricDefinition[] = [...Object.values(METRICS), ...Object.values(OPERATOR_METRICS)];

/** What Prometheus adds to every series of a target, with the labels of the Prometheus operator. */
export const TARGET_LABELS = ['namespace', 'pod', 'instance', 'job', 'service', 'container', 'endpoint'];

/** The labels of every series that the operator serves, by its name. */
export const KNOWN_SERIES: ReadonlyMap<string, readonly string[]> = new Map(
  definitions.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
);
