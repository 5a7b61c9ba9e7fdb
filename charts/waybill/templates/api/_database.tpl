{{/* How serving and migrating find the database. Argument of each: root. */}}
{{- define "waybill.api.environment" -}}
- name: LOG_LEVEL
  value: {{ .Values.api.logLevel }}
{{- if .Values.api.database.existingSecret }}
- name: DATABASE_URL_FILE
  value: /secrets/database/url
{{- end }}
{{- end -}}

{{- define "waybill.api.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.api.database.existingSecret }}
- { name: database, mountPath: /secrets/database, readOnly: true }
{{- end }}
{{- end -}}

{{- define "waybill.api.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .Values.api.database.existingSecret }}
- name: database
  secret:
    secretName: {{ . }}
    items: [{ key: {{ $.Values.api.database.key }}, path: url }]
{{- end }}
{{- end -}}
