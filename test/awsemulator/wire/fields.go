package wire

import (
	"reflect"
	"sync"
	"time"
)

// field is one member of an SDK shape.
type field struct {
	name  string
	index int
}

var (
	fieldCache sync.Map // reflect.Type -> []field
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
)

// fieldsOf lists the members of an SDK structure in the order of its
// declaration. ResultMetadata is the SDK's own and never on the wire.
func fieldsOf(t reflect.Type) []field {
	if known, ok := fieldCache.Load(t); ok {
		return known.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Anonymous || f.Name == "ResultMetadata" {
			continue
		}
		fields = append(fields, field{name: f.Name, index: i})
	}
	fieldCache.Store(t, fields)
	return fields
}
