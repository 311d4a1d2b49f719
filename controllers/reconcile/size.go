package reconcile

import (
	"encoding/json"
	"math"
)

// MaxObject bounds the objects that the operator writes, in bytes of JSON and
// without managed fields, which its cache does not keep. etcd takes requests of
// 1.5 MiB, the managed fields included.
const MaxObject = 1400 << 10

// Size is how many bytes a value takes as the API server stores it: JSON in
// which <, > and & are escaped.
func Size(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return math.MaxInt // It could not be sent either.
	}
	return len(data)
}
