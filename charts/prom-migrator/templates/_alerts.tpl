{{/* A series selector: the metric, its matchers, and what tells this operator's series from another one's. */}}
{{- define "prom-migrator.series" -}}
{{- $root := index . 0 }}
{{- $matchers := append (slice . 2) (tpl $root.Values.metrics.prometheusRule.selector $root) }}
{{- printf "%s{%s}" (index . 1) (join "," (without $matchers "")) }}
{{- end }}

{{/* The alerts, most urgent first. Their names are an enum in values.schema.json. */}}
{{- define "prom-migrator.alerts" -}}
{{- $condition := "prom_migrator_operator_condition" }}
{{- $leader := include "prom-migrator.series" (list . "prom_migrator_operator_leader") }}
{{- $rejected := include "prom-migrator.series" (list . "prom_migrator_samples_rejected_total") }}
- alert: PromMigratorOperatorDown
  expr: absent({{ $leader }})
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: Prometheus scrapes no prom-migrator operator.
    description: No migration runs. Check the pods of the operator, then whether Prometheus scrapes them.
- alert: PromMigratorNoLeader
  expr: max({{ $leader }}) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: No pod of the prom-migrator operator holds the lease.
    description: No migration runs. The pods cannot reach the API server, or are not allowed to write the Lease.
- alert: PromMigratorTwoLeaders
  expr: sum({{ $leader }}) > 1
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: {{ `'{{ $value }} pods of the prom-migrator operator run migrations at the same time.'` }}
    description: Two pods may write the same window. Either two releases watch the same namespaces, or leader election is off with several pods.
- alert: PromMigratorWatchSilent
  expr: |-
    time() - {{ include "prom-migrator.series" (list . "prom_migrator_operator_watch_last_event_timestamp_seconds") }} > 600
      and on (instance) {{ $leader }} == 1
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: {{ `'The prom-migrator operator has received nothing from the API server for {{ $value | humanizeDuration }}.'` }}
    description: Running migrations continue, but the operator misses new, changed and deleted ones. Even an idle watch receives a bookmark every minute.
- alert: PromMigratorEventLoopLag
  expr: {{ include "prom-migrator.series" (list . "prom_migrator_operator_event_loop_lag_seconds") }} > 1
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: {{ `'The event loop of the prom-migrator operator lags by {{ $value | humanizeDuration }}.'` }}
    description: The operator may lose its lease. Give the pod more CPU, or lower maxMigrations.
- alert: PromMigratorMigrationFailed
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Succeeded"` `status="False"`) }}) == 1
  labels:
    severity: critical
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} has failed: {{ $labels.reason }}.'` }}
    description: It is not retried. Its condition Succeeded says why; a new PromMigration of the same name resumes where this one stopped.
- alert: PromMigratorMigrationStalled
  expr: max by (migration) ({{ include "prom-migrator.series" (list . $condition `type="Progressing"` `status="False"` `reason="NoProgress"`) }}) == 1
  for: 1m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} makes no progress.'` }}
    description: No window was finished, and no sample written or compared, within progressDeadlineSeconds. The operator keeps trying; the conditions and events of the migration say what it waits for.
- alert: PromMigratorMigrationDegraded
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Degraded"` `status="True"` `reason!="SamplesSkipped"`) }}) == 1
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} has been failing for 15 minutes: {{ $labels.reason }}.'` }}
    description: Its requests or its worker fail and are retried. Its condition Degraded says which side fails and how.
- alert: PromMigratorMigrationNotAccepted
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Accepted"` `status="False"`) }}) == 1
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} cannot start: {{ $labels.reason }}.'` }}
    description: A Secret or key that it refers to is missing, its spec is invalid, or something blocks it and spec.preflight is Enforce. Its condition Accepted says what to change.
- alert: PromMigratorSamplesRejected
  # increase() does not see the first value of a series that appears with its first rejection.
  expr: |-
    sum by (migration, reason) (increase({{ $rejected }}[15m])) > 0
      or sum by (migration, reason) ({{ $rejected }}) > 0
      unless sum by (migration, reason) ({{ $rejected }} offset 15m)
  labels:
    severity: warning
  annotations:
    summary: {{ `'The destination rejects samples of migration {{ $labels.migration }}: {{ $labels.reason }}.'` }}
    description: {{ `'{{ $value | humanize }} samples were rejected in the last 15 minutes and will be missing in the destination.'` }}
- alert: PromMigratorDifferencesFound
  expr: max by (migration) ({{ include "prom-migrator.series" (list . $condition `type="Verified"` `status="False"`) }}) == 1
  labels:
    severity: warning
  annotations:
    summary: {{ `'The destination of migration {{ $labels.migration }} differs from its source.'` }}
    description: It lacks samples, has other values, or has samples more than once. status.verification of the migration counts the differences and shows the first ones. The alert ends when a later verification finds none, or when they are accepted with spec.verification.mode Off.
{{- end }}
