package policy

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// object is a JSON object whose members are known to be unique. encoding/json's
// own decoding takes the last of several and ignores case, and so could take a
// tampered document for ours.
type object map[string]any

var errForeign = errors.New("not a policy document of ours")

// decode reads one JSON value and nothing after it.
func decode(document string) (any, error) {
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	v, err := decodeValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errForeign
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
	members := object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errForeign
		}
		if _, twice := members[name]; twice {
			return nil, errForeign
		}
		if members[name], err = decodeValue(d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return members, err
}
