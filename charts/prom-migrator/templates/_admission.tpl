{{/* An optional text of the spec in CEL, or ''. */}}
{{- define "prom-migrator.specText" -}}
string(object.spec.?{{ . | replace "." ".?" }}.orValue(''))
{{- end }}

{{/* Every URL that a migration sends requests to or through, as items of a CEL list. */}}
{{- define "prom-migrator.urls" -}}
{{- range $side, $list := dict "source" "sources" "destination" "destinations" "destination.progress" "destinations" }}
{{- range $field, $allowed := dict "url" $list "proxyUrl" "proxies" "oauth2.tokenUrl" "tokenEndpoints" "oauth2.proxyUrl" "proxies" }}
{{- $path := printf "%s.%s" $side $field }}
{'field': 'spec.{{ $path }}', 'list': '{{ $allowed }}', 'url': {{ include "prom-migrator.specText" $path }}},
{{- end }}
{{- end }}
{{- end }}

{{/*
Every name that TLS sends to the server of a URL. A gateway that routes by it connects to another server than the URL says. Progress inherits
the tls of the destination, but its URL may have another scheme and port.
*/}}
{{- define "prom-migrator.serverNames" -}}
{{- range $side, $list := dict "source" "sources" "destination" "destinations" "destination.progress" "destinations" }}
{{- range $tls, $url := dict "tls" "url" "oauth2.tls" "oauth2.tokenUrl" }}
{{- $path := printf "%s.%s.serverName" $side $tls }}
{'field': 'spec.{{ $path }}', 'list': '{{ ternary $list "tokenEndpoints" (eq $url "url") }}',
  {{- $name := include "prom-migrator.specText" $path }}
  {{- if eq $path "destination.progress.tls.serverName" }}
  {{- $name = printf "object.spec.?destination.?progress.?tls.hasValue() ? %s : %s" $name (include "prom-migrator.specText" "destination.tls.serverName") }}
  {{- end }}
  'name': {{ $name }}, 'url': {{ include "prom-migrator.specText" (printf "%s.%s" $side $url) }}},
{{- end }}
{{- end }}
{{- end }}

{{/* The lists as JSON, which is CEL; each pattern gets a port. */}}
{{- define "prom-migrator.allowed" -}}
{{- $lists := dict }}
{{- range $name, $given := . }}
{{- $patterns := list }}
{{- range $given }}
{{- $port := ternary ":443" ":80" (hasPrefix "https:" .) }}
{{- $patterns = append $patterns (or (eq . "*") (regexMatch ":([0-9]+|[*])$" .) | ternary . (print . $port)) }}
{{- end }}
{{- $_ := set $lists $name $patterns }}
{{- end }}
{{- $lists | toJson }}
{{- end }}

{{- define "prom-migrator.allowedByNamespace" -}}
{
{{- range $namespace, $own := . }}
  {{ $namespace | toJson }}: {{ include "prom-migrator.allowed" ($own | default dict) }},
{{- end }}
}
{{- end }}
