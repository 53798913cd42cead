package plan

import "scalableappbackend/internal/input"

// FieldError is one input that cannot be used. In errors of [Plan.Validate] and [Plan.Prepare] its Field is the JSON path
// in the plan ("users", "targets[0].url"); those of the parsers have none. None holds the value of a header or a secret
// part of a URL.
type FieldError = input.Error
