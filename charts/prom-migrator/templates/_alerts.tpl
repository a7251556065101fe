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
    summary: No prom-migrator operator is scraped.
    description: No migration runs. Look at the pods of the operator, then at whether Prometheus scrapes them.
- alert: PromMigratorNoLeader
  expr: max({{ $leader }}) == 0
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: No pod of the prom-migrator operator holds the lease.
    description: No migration runs. The pods cannot reach the API server, or may not write the Lease.
- alert: PromMigratorTwoLeaders
  expr: sum({{ $leader }}) > 1
  for: 2m
  labels:
    severity: critical
  annotations:
    summary: {{ `'{{ $value }} pods of the prom-migrator operator run migrations at once.'` }}
    description: Two pods may write the same window. Two releases watch the same namespaces, or leader election is off with several pods.
- alert: PromMigratorWatchSilent
  expr: |-
    time() - {{ include "prom-migrator.series" (list . "prom_migrator_operator_watch_last_event_timestamp_seconds") }} > 600
      and on (instance) {{ $leader }} == 1
  for: 1m
  labels:
    severity: critical
  annotations:
    summary: {{ `'The prom-migrator operator has heard nothing from the API server for {{ $value | humanizeDuration }}.'` }}
    description: Migrations that run go on, but new, changed and deleted ones are not noticed. Even a quiet watch gets a bookmark every minute.
- alert: PromMigratorEventLoopLag
  expr: {{ include "prom-migrator.series" (list . "prom_migrator_operator_event_loop_lag_seconds") }} > 1
  for: 5m
  labels:
    severity: warning
  annotations:
    summary: {{ `'The main thread of the prom-migrator operator lags {{ $value | humanizeDuration }} behind.'` }}
    description: It may lose its lease. Give the pod more CPU, or lower maxMigrations.
- alert: PromMigratorMigrationFailed
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Succeeded"` `status="False"`) }}) == 1
  labels:
    severity: critical
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} has failed: {{ $labels.reason }}.'` }}
    description: It will not be tried again. Its condition Succeeded says why; a new PromMigration of the same name goes on where this one stopped.
- alert: PromMigratorMigrationStalled
  expr: max by (migration) ({{ include "prom-migrator.series" (list . $condition `type="Progressing"` `status="False"` `reason="Stalled"`) }}) == 1
  for: 1m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} makes no progress.'` }}
    description: No window was finished within progressDeadlineSeconds. It is still being tried; its conditions and events say what it waits for.
- alert: PromMigratorMigrationDegraded
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Degraded"` `status="True"` `reason!="SamplesSkipped"`) }}) == 1
  for: 15m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} has been failing for a quarter of an hour: {{ $labels.reason }}.'` }}
    description: Requests fail, or its worker does, and they are tried again. Its condition Degraded says which side fails and how.
- alert: PromMigratorMigrationNotAccepted
  expr: max by (migration, reason) ({{ include "prom-migrator.series" (list . $condition `type="Accepted"` `status="False"`) }}) == 1
  for: 10m
  labels:
    severity: warning
  annotations:
    summary: {{ `'Migration {{ $labels.migration }} cannot begin: {{ $labels.reason }}.'` }}
    description: A Secret or key that it names is missing, or its spec cannot be carried out. Its condition Accepted says what.
- alert: PromMigratorSamplesRejected
  # increase() does not see the first value of a series that appears with its first rejection.
  expr: |-
    sum by (migration, reason) (increase({{ $rejected }}[15m])) > 0
      or sum by (migration, reason) ({{ $rejected }}) > 0
      unless sum by (migration, reason) ({{ $rejected }} offset 15m)
  labels:
    severity: warning
  annotations:
    summary: {{ `'The destination refuses samples of migration {{ $labels.migration }}: {{ $labels.reason }}.'` }}
    description: {{ `'{{ $value | humanize }} samples in the last quarter of an hour are counted as rejected and will be missing in the destination.'` }}
{{- end }}
