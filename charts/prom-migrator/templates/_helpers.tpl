{{/* The chart's name, or what replaces it. */}}
{{- define "prom-migrator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects: the release's name, with the chart's name unless it is in there already. */}}
{{- define "prom-migrator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- $name := include "prom-migrator.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "prom-migrator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "prom-migrator.releaseLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "prom-migrator.releaseLabels" -}}
app.kubernetes.io/name: {{ include "prom-migrator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What selects the operator's pods, and not the pod of `helm test`. It cannot be changed after the installation. */}}
{{- define "prom-migrator.selectorLabels" -}}
{{ include "prom-migrator.releaseLabels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "prom-migrator.image" -}}
{{- with .Values.image }}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "prom-migrator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "prom-migrator.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* What the operator does where it watches: exactly the verbs of its code. Secrets and ConfigMaps are read by name, never listed. */}}
{{- define "prom-migrator.watchRules" -}}
- apiGroups: [prom-migrator.io]
  resources: [prommigrations]
  # delete: ttlSecondsAfterFinished.
  verbs: [get, list, watch, delete]
- apiGroups: [prom-migrator.io]
  resources: [prommigrations/status]
  verbs: [patch]
- apiGroups: ['']
  resources: [configmaps]
  # create, delete: those of the Jobs.
  verbs: [get{{ if .Values.jobs.enabled }}, create, delete{{ end }}]
# Whether a Job copies a migration, which nothing else may copy then.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get{{ if .Values.jobs.enabled }}, list, watch, create, patch, delete{{ end }}]
{{- if .Values.jobs.enabled }}
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
# Why the Job controller cannot create pods.
- apiGroups: ['']
  resources: [events]
  verbs: [list]
{{- end }}
{{- if .Values.rbac.readSecrets }}
- apiGroups: ['']
  resources: [secrets]
  verbs: [get]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "prom-migrator.dnsEgress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}

{{- define "prom-migrator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "prom-migrator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* What an endpoint of a ServiceMonitor and of a PodMonitor have in common. */}}
{{- define "prom-migrator.scrape" -}}
{{- $lines := list }}
{{- with .interval }}{{ $lines = append $lines (printf "interval: %s" .) }}{{ end }}
{{- with .scrapeTimeout }}{{ $lines = append $lines (printf "scrapeTimeout: %s" .) }}{{ end }}
{{- with .relabelings }}{{ $lines = append $lines (toYaml (dict "relabelings" .)) }}{{ end }}
{{- with .metricRelabelings }}{{ $lines = append $lines (toYaml (dict "metricRelabelings" .)) }}{{ end }}
{{- join "\n" $lines }}
{{- end }}
