{{/* The beginning of all names. */}}
{{- define "ssm-access.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels by which a manager's pods are found. */}}
{{- define "ssm-access.selector" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end -}}

{{/* The labels of every object. */}}
{{- define "ssm-access.labels" -}}
app.kubernetes.io/name: ssm-access-operator
app.kubernetes.io/part-of: ssm-access-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "ssm-access.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The managers as JSON, {"managers": […]}, each with its suffix, lease and selector. */}}
{{- define "ssm-access.managers" -}}
{{- $managers := list -}}
{{- range .Values.managers -}}
{{- $managers = append $managers (dict "suffix" (printf "-%s" .name) "name" .name "lease" (printf "manager-%s.ssm-access.dev" .name) "selector" .accountSelector) -}}
{{- end -}}
{{- if not $managers -}}
{{- $managers = list (dict "suffix" "" "name" "" "lease" "manager.ssm-access.dev" "selector" "") -}}
{{- end -}}
{{- dict "managers" $managers | toJson -}}
{{- end -}}

{{/* What the manager and the check before an uninstallation run as. */}}
{{- define "ssm-access.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "ssm-access.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
