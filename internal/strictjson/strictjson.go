// Package strictjson decodes JSON of unknown origin, for a comparison with what
// the operator writes. encoding/json takes the last of several members of one
// name, and matches names whatever their case: it could take a tampered
// document for the operator's own.
package strictjson

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// Object is a JSON object whose members are known to be unique.
type Object map[string]any

// Errors of Decode, in addition to those of encoding/json.
var (
	// ErrTwice: an object has two members of one name.
	ErrTwice = errors.New("a member occurs twice")
	// ErrMore: something follows the value.
	ErrMore = errors.New("something follows the value")
)

// Decode reads one JSON value and nothing after it: an Object, a []any, a
// string, a json.Number, a bool or nil.
func Decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrMore
	}
	return v, nil
}

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(d)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	default:
		return token, nil
	}
}

func decodeObject(d *json.Decoder) (any, error) {
	members := Object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		// A decoder gives strings alone for the names of members.
		name, _ := key.(string)
		if _, twice := members[name]; twice {
			return nil, ErrTwice
		}
		if members[name], err = decodeValue(d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return members, err
}
