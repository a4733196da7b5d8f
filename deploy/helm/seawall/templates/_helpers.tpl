{{/* Whether a role is installed: `on` or nothing. Its own switch wins over the profile. */}}
{{- define "seawall.hub" -}}
{{- if kindIs "bool" .Values.hub.enabled }}{{ if .Values.hub.enabled }}on{{ end }}{{ else if has .Values.profile (list "hub" "both") }}on{{ end }}
{{- end }}
{{- define "seawall.agent" -}}
{{- if kindIs "bool" .Values.agent.enabled }}{{ if .Values.agent.enabled }}on{{ end }}{{ else if has .Values.profile (list "agent" "both") }}on{{ end }}
{{- end }}
{{- define "seawall.sensor" -}}
{{- if kindIs "bool" .Values.sensor.enabled }}{{ if .Values.sensor.enabled }}on{{ end }}{{ else if has .Values.profile (list "agent" "both") }}on{{ end }}
{{- end }}

{{/* Labels of an object; the argument is (dict "root" $ "role" ROLE). */}}
{{- define "seawall.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: seawall
{{ include "seawall.selector" . }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "seawall.selector" -}}
app.kubernetes.io/name: seawall
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "seawall.image" -}}
{{- $repository := required "image.repository: name the repository that the image archive of the release was pushed to" .Values.image.repository -}}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}
{{- else }}{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Where agents and sensors find the hub: in its own cluster by its Service, whatever browsers use. */}}
{{- define "seawall.hubUrl" -}}
{{- if include "seawall.hub" . }}https://seawall-hub.{{ .Release.Namespace }}.svc:{{ .Values.hub.service.port }}
{{- else }}{{ required "hub.baseUrl: name the hub, https://HOST:PORT, that agents and sensors report to" .Values.hub.baseUrl }}
{{- end }}
{{- end }}
{{- define "seawall.hubAgents" -}}
{{- if include "seawall.hub" . }}seawall-hub.{{ .Release.Namespace }}.svc:{{ .Values.hub.service.agentsPort }}
{{- else }}{{ .Values.hub.agentsUrl }}
{{- end }}
{{- end }}
{{- define "seawall.hubOptions" -}}
- --hub={{ include "seawall.hubUrl" . }}
{{- with include "seawall.hubAgents" . }}
- --hub-agents={{ . }}
{{- end }}
- --hub-ca={{ required "hub.ca: give the fingerprint sha256:… of the hub's authority, which the hub prints at its start" .Values.hub.ca }}
- --service-account-token=/var/run/secrets/seawall/token
{{- end }}

{{/* What Pod Security `restricted` demands of a pod and of a container. */}}
{{- define "seawall.restrictedPod" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "seawall.restrictedContainer" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Where a pod may go and what it costs; the argument is (dict "root" $ "of" .Values.ROLE). */}}
{{- define "seawall.placement" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "seawall.probes" -}}
livenessProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  failureThreshold: 3
{{- end }}

{{/* Ports of the hub as JSON: of its addresses and of its pods. */}}
{{- define "seawall.hubPorts" -}}
{{- $ports := list 8443 8444 }}
{{- $host := (urlParse (include "seawall.hubUrl" .)).host }}
{{- $ports = append $ports (regexFind ":[0-9]+$" $host | trimPrefix ":" | default "443" | int) }}
{{- with include "seawall.hubAgents" . }}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "443" | int) }}
{{- end }}
{{- $ports | uniq | toJson }}
{{- end }}
