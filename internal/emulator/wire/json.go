package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"time"
)

// DecodeJSON fills the SDK input structure that into points to from the body
// of a JSON 1.1 request. Members that the shape does not know are ignored, as
// AWS does; a value of the wrong type is a SerializationException.
func DecodeJSON(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return Errorf(400, "SerializationException", "The request body is not JSON: %v", err)
	}
	return jsonInto("the request", tree, reflect.ValueOf(into).Elem())
}

func jsonInto(name string, from any, into reflect.Value) error {
	if from == nil {
		return nil
	}
	switch {
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return jsonInto(name, from, into.Elem())
	case into.Type() == timeType:
		return jsonTime(name, from, into)
	case into.Type() == bytesType:
		return jsonBytes(name, from, into)
	case into.Kind() == reflect.Struct:
		members, ok := from.(map[string]any)
		if !ok {
			return wrongType(name)
		}
		for _, f := range fieldsOf(into.Type()) {
			if err := jsonInto(f.name, members[f.name], into.Field(f.index)); err != nil {
				return err
			}
		}
		return nil
	case into.Kind() == reflect.Slice:
		return jsonList(name, from, into)
	case into.Kind() == reflect.Map:
		return jsonMap(name, from, into)
	default:
		return jsonScalar(name, from, into)
	}
}

func jsonList(name string, from any, into reflect.Value) error {
	items, ok := from.([]any)
	if !ok {
		return wrongType(name)
	}
	list := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		if err := jsonInto(name, item, list.Index(i)); err != nil {
			return err
		}
	}
	into.Set(list)
	return nil
}

func jsonMap(name string, from any, into reflect.Value) error {
	members, ok := from.(map[string]any)
	if !ok {
		return wrongType(name)
	}
	result := reflect.MakeMapWithSize(into.Type(), len(members))
	for key, member := range members {
		v := reflect.New(into.Type().Elem()).Elem()
		if err := jsonInto(name, member, v); err != nil {
			return err
		}
		result.SetMapIndex(reflect.ValueOf(key).Convert(into.Type().Key()), v)
	}
	into.Set(result)
	return nil
}

func jsonScalar(name string, from any, into reflect.Value) error {
	switch into.Kind() {
	case reflect.String:
		if s, ok := from.(string); ok {
			into.SetString(s)
			return nil
		}
	case reflect.Bool:
		if b, ok := from.(bool); ok {
			into.SetBool(b)
			return nil
		}
	case reflect.Int32, reflect.Int64:
		if n, ok := from.(json.Number); ok {
			if i, err := n.Int64(); err == nil && !into.OverflowInt(i) {
				into.SetInt(i)
				return nil
			}
		}
	case reflect.Float32, reflect.Float64:
		if n, ok := from.(json.Number); ok {
			if f, err := n.Float64(); err == nil {
				into.SetFloat(f)
				return nil
			}
		}
	}
	return wrongType(name)
}

func jsonTime(name string, from any, into reflect.Value) error {
	n, ok := from.(json.Number)
	if !ok {
		return wrongType(name)
	}
	seconds, err := n.Float64()
	if err != nil {
		return wrongType(name)
	}
	whole, part := math.Modf(seconds)
	into.Set(reflect.ValueOf(time.Unix(int64(whole), int64(part*1e9)).UTC()))
	return nil
}

func jsonBytes(name string, from any, into reflect.Value) error {
	text, ok := from.(string)
	if !ok {
		return wrongType(name)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return wrongType(name)
	}
	into.SetBytes(raw)
	return nil
}

func wrongType(name string) error {
	return Errorf(400, "SerializationException", "The value of %s is of the wrong type", name)
}

// EncodeJSON writes out, a pointer to the SDK's output structure, as the body
// of a JSON 1.1 answer: members that are not set are left out, times are
// seconds since the epoch.
func EncodeJSON(out any) []byte {
	tree := jsonFrom(reflect.ValueOf(out).Elem())
	body, err := json.Marshal(tree)
	if err != nil {
		// Only a float that is no number could fail, and no shape holds one.
		panic(err)
	}
	return body
}

func jsonFrom(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return jsonFrom(v.Elem())
	case reflect.Struct:
		if v.Type() == timeType {
			return json.Number(jsonSeconds(v.Interface().(time.Time)))
		}
		members := map[string]any{}
		for _, f := range fieldsOf(v.Type()) {
			if member := v.Field(f.index); isSet(member) {
				members[f.name] = jsonFrom(member)
			}
		}
		return members
	case reflect.Slice:
		if v.Type() == bytesType {
			return v.Bytes()
		}
		items := make([]any, v.Len())
		for i := range items {
			items[i] = jsonFrom(v.Index(i))
		}
		return items
	case reflect.Map:
		members := map[string]any{}
		for _, key := range v.MapKeys() {
			members[key.String()] = jsonFrom(v.MapIndex(key))
		}
		return members
	default:
		return v.Interface()
	}
}

// isSet tells whether a member is written: nil never is, nor is an
// enumeration without a value.
func isSet(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return !v.IsNil()
	case reflect.String:
		return v.Len() > 0
	default:
		return true
	}
}

// jsonSeconds gives milliseconds where there are any, as SSM does.
func jsonSeconds(t time.Time) string {
	whole, err := json.Marshal(float64(t.UnixMilli()) / 1000)
	if err != nil {
		panic(err) // a quotient of an integer is always a number
	}
	return string(whole)
}

// EncodeJSONError writes the error document of JSON 1.1.
func EncodeJSONError(e *Error) []byte {
	body, err := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return body
}
