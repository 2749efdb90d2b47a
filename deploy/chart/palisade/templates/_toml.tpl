{{/* Renders a map as TOML: scalars and lists first, then a section per map, then the tables of each list of maps.
     Helm's own toToml writes whole numbers with a fraction. Argument: a list of the section's path and the map. */}}
{{- define "palisade.toml" -}}
{{- $path := index . 0 }}{{ $map := index . 1 }}
{{- range $key, $value := $map }}
{{- if and (kindIs "slice" $value) $value (kindIs "map" (first $value)) }}
{{- else if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ include "palisade.tomlKey" $key }} = {{ include "palisade.tomlValue" $value }}
{{- end }}
{{- end }}
{{- range $key, $value := $map }}
{{- $name := include "palisade.tomlKey" $key }}
{{- $section := $path | empty | ternary $name (printf "%s.%s" $path $name) }}
{{- if kindIs "map" $value }}

[{{ $section }}]
{{- include "palisade.toml" (list $section $value) }}
{{- else if and (kindIs "slice" $value) $value (kindIs "map" (first $value)) }}
{{- range $value }}

[[{{ $section }}]]
{{- include "palisade.toml" (list $section .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* JSON's strings, booleans and lists are TOML's too; whole numbers lose the fraction that Helm reads them with. */}}
{{- define "palisade.tomlValue" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ toRawJson . }}{{ end }}
{{- end }}

{{- define "palisade.tomlKey" -}}
{{ regexMatch "^[A-Za-z0-9_-]+$" . | ternary . (toRawJson .) }}
{{- end }}
