package result

import _ "embed"

//go:embed schema.json
var schemaJSON string

// SchemaJSON returns the JSON Schema (2020-12) of result.json.
func SchemaJSON() []byte { return []byte(schemaJSON) }
