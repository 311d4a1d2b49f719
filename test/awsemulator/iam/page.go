package iam

import (
	"encoding/base64"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// page is one page of a list and where the next begins.
type page[T any] struct {
	items     []T
	truncated bool
	marker    *string
}

// paginate takes one page of a list. from yields the entries that come after
// a key, in the order of their keys; keep leaves entries out, nil none.
func paginate[T any](a *Account, marker *string, maxItems *int32,
	from func(after string) iter.Seq2[string, T], keep func(T) bool,
) (page[T], error) {
	asked, err := service.InRange("maxItems", maxItems, 1, 1000, 100)
	if err != nil {
		return page[T]{}, err
	}
	after, err := readMarker(marker)
	if err != nil {
		return page[T]{}, err
	}
	size := a.Paging.Size(asked)
	p := page[T]{items: make([]T, 0, min(size, 64))}
	last := after
	for k, item := range from(after) {
		if keep != nil && !keep(item) {
			continue
		}
		if len(p.items) == size {
			p.truncated, p.marker = true, writeMarker(last)
			return p, nil
		}
		p.items = append(p.items, item)
		last = k
	}
	return p, nil
}

// Markers are opaque. Those of the emulator name the last entry shown, so that
// changes between two pages neither repeat nor skip what stayed.
const markerPrefix = "after:"

func writeMarker(last string) *string {
	return aws.String(base64.URLEncoding.EncodeToString([]byte(markerPrefix + last)))
}

func readMarker(marker *string) (string, error) {
	if marker == nil {
		return "", nil
	}
	raw, err := base64.URLEncoding.DecodeString(*marker)
	if err != nil || len(raw) < len(markerPrefix) || string(raw[:len(markerPrefix)]) != markerPrefix {
		return "", service.ValidationError("Invalid Marker.")
	}
	return string(raw[len(markerPrefix):]), nil
}
