//go:build !unix

package validity

import "scalableappbackend/loadgen/result"

// fileLimit is unknown: Windows has handles, and no limit on them worth naming.
func fileLimit() result.Reading { return result.Unknown() }
