// Every series that the alerts and the dashboard may query: those of the engine and those of the operator.
import { OPERATOR_METRICS } from '../../src/operator/operator-metrics.ts';
import { METRICS, type MetricDefinition } from '../../src/telemetry/metric-catalogue.ts';

const definitions: readonly MetricDefinition[] = [...Object.values(METRICS), ...Object.values(OPERATOR_METRICS)];

/** Labels that Prometheus adds to every series of a target, including those of the Prometheus operator. */
export const TARGET_LABELS = ['namespace', 'pod', 'instance', 'job', 'service', 'container', 'endpoint'];

/** The labels of every series that the operator exposes, by metric name. */
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
