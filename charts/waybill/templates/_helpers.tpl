{{/* What a part of the release is called: "<release>-waybill-operator", without saying waybill twice. Arguments: root, part. */}}
{{- define "waybill.name" -}}
{{- $base := ternary .root.Release.Name (printf "%s-waybill" .root.Release.Name) (contains "waybill" .root.Release.Name) -}}
{{- printf "%s-%s" ($base | trunc 40 | trimSuffix "-") .part -}}
{{- end -}}

{{/* What never changes about a part: selectors. Arguments: root, part. */}}
{{- define "waybill.selector" -}}
app.kubernetes.io/name: waybill
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{/* Arguments: root, part. */}}
{{- define "waybill.labels" -}}
{{ include "waybill.selector" . }}
app.kubernetes.io/part-of: waybill
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Arguments: root, part. */}}
{{- define "waybill.metadata" -}}
name: {{ include "waybill.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "waybill.labels" . | nindent 2 }}
{{- end -}}

{{/* "repository:tag@digest". Argument: an image of the values. */}}
{{- define "waybill.image" -}}
{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}

{{/* What a pod looks like whatever runs in it. Arguments: root, part, values. */}}
{{- define "waybill.pod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if gt (int (default 1 .values.replicas)) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "waybill.selector" (dict "root" .root "part" .part) | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Of every container. Argument: an image of the values. */}}
{{- define "waybill.container" -}}
image: {{ include "waybill.image" . }}
imagePullPolicy: {{ .pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Labels and annotations of pods. Arguments: root, part, values; checksum, where a new configuration needs new pods. */}}
{{- define "waybill.podMetadata" -}}
labels:
  {{- include "waybill.labels" (dict "root" .root "part" .part) | nindent 2 }}
{{- if or .values.podAnnotations .checksum }}
annotations:
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .checksum }}
  waybill.dev/configuration: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Drains leave enough of what runs more than once. Arguments: root, part, values. */}}
{{- define "waybill.podDisruptionBudget" -}}
{{- if and .root.Values.podDisruptionBudget.enabled (gt (int .values.replicas) 1) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "waybill.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "waybill.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* A service account whose token nobody gets who doesn't ask. Arguments: root, part; annotations. */}}
{{- define "waybill.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "waybill.metadata" . | nindent 2 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}

{{/* Egress to the names and to the API server. Argument: root. */}}
{{- define "waybill.egress.dns" -}}
- ports:
    - { port: 53, protocol: UDP }
    - { port: 53, protocol: TCP }
{{- end -}}
{{- define "waybill.egress.apiServer" -}}
- ports:
    {{- range .Values.networkPolicy.apiServer.ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .Values.networkPolicy.apiServer.cidrs }}
  to:
    {{- range . }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* Ingress to the port http, which has metrics too: clients, and who watches. Argument: root. */}}
{{- define "waybill.ingress.clients" -}}
- ports:
    - { port: http, protocol: TCP }
  from:
    {{- toYaml (concat .Values.networkPolicy.clients .Values.networkPolicy.monitoring | uniq) | nindent 4 }}
    - podSelector:
        matchLabels:
          {{- include "waybill.selector" (dict "root" . "part" "test") | nindent 10 }}
{{- end -}}
