{{/* Of both configurations, which no namespace holds. Arguments: root, part. */}}
{{- define "waybill.webhook.configurationMetadata" -}}
name: {{ include "waybill.name" . }}
labels:
  {{- include "waybill.labels" . | nindent 2 }}
{{- if eq .root.Values.webhook.tls.source "certManager" }}
annotations:
  cert-manager.io/inject-ca-from: {{ .root.Release.Namespace }}/{{ include "waybill.name" . }}
{{- end }}
{{- end -}}

{{/* How the API server asks about our own kinds: what could not be checked is not taken. */}}
{{- define "waybill.webhook.own" -}}
admissionReviewVersions: [v1]
sideEffects: None
failurePolicy: Fail
timeoutSeconds: 5
rules:
  - apiGroups: [kaos.tools]
    apiVersions: [v1alpha1]
    resources: [agents, mcpservers, modelapis]
    operations: [CREATE, UPDATE]
    scope: Namespaced
{{- end -}}

{{/* Arguments: root, name, path, ca (base64; empty: cert-manager writes it in). */}}
{{- define "waybill.webhook.client" -}}
service:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  path: {{ .path }}
{{- with .ca }}
caBundle: {{ . }}
{{- end }}
{{- end -}}
