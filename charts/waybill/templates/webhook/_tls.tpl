{{/* The Secret with the webhook's certificate. Argument: root. */}}
{{- define "waybill.webhook.secret" -}}
{{- $tls := .Values.webhook.tls -}}
{{- if eq $tls.source "secret" -}}
{{ required "webhook.tls.secretName: which Secret has the certificate?" $tls.secretName }}
{{- else -}}
{{ include "waybill.name" (dict "root" . "part" "webhook") }}-tls
{{- end -}}
{{- end -}}

{{/* Names that the API server calls the webhook by, as a JSON list. Argument: root. */}}
{{- define "waybill.webhook.names" -}}
{{- $service := include "waybill.name" (dict "root" . "part" "webhook") -}}
{{- list (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) | toJson -}}
{{- end -}}

{{/* The certificate of source=helm as a JSON object of base64: the one that is there, else a new one. Argument: root. */}}
{{- define "waybill.webhook.certificate" -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace (include "waybill.webhook.secret" .) -}}
{{- $kept := dig "data" dict ($secret | default dict) -}}
{{- if and (index $kept "ca.crt") (index $kept "tls.crt") (index $kept "tls.key") -}}
{{- pick $kept "ca.crt" "tls.crt" "tls.key" | toJson -}}
{{- else -}}
{{- $names := include "waybill.webhook.names" . | fromJsonArray -}}
{{- $ca := genCA (printf "%s webhook" .Release.Name) 3650 -}}
{{- $certificate := genSignedCert (first $names) nil $names 3650 $ca -}}
{{- dict "ca.crt" ($ca.Cert | b64enc) "tls.crt" ($certificate.Cert | b64enc) "tls.key" ($certificate.Key | b64enc) | toJson -}}
{{- end -}}
{{- end -}}
