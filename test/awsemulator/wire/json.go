package wire

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
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
		return jsonStruct(members, into)
	case into.Kind() == reflect.Slice:
		return jsonList(name, from, into)
	case into.Kind() == reflect.Map:
		return jsonMap(name, from, into)
	default:
		return jsonScalar(name, from, into)
	}
}

// jsonStruct finds members whatever their case: the SDK capitalises names that
// the model does not.
func jsonStruct(members map[string]any, into reflect.Value) error {
	for key, member := range members {
		for _, f := range fieldsOf(into.Type()) {
			if !strings.EqualFold(f.name, key) {
				continue
			}
			if err := jsonInto(f.name, member, into.Field(f.index)); err != nil {
				return err
			}
		}
	}
	return nil
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

// answerShape is the shape of any output where the protocol wants to know that
// there is one.
var answerShape = smithy.NewOperationSchema(
	smithy.NewSchema(smithy.ShapeID{Name: "Answer"}, smithy.ShapeTypeOperation, 0),
	smithy.NewSchema(smithy.ShapeID{Name: "Answer"}, smithy.ShapeTypeStructure, 0), nil)

var json11 = awsjson.New11(smithy.NewServiceSchema(smithy.NewSchema(smithy.ShapeID{Name: "Emulator"}, smithy.ShapeTypeService, 0), ""))

// EncodeJSON writes an SDK output structure as the body of a JSON 1.1 answer.
// The SDK writes it itself, as it would a request: so the names, which are not
// always those of Go, and the times are its own.
func EncodeJSON(ctx context.Context, out smithy.Serializable) ([]byte, error) {
	request := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if err := json11.SerializeRequest(ctx, answerShape, out, request); err != nil {
		return nil, fmt.Errorf("encode %T: %w", out, err)
	}
	body, err := io.ReadAll(request.GetStream())
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", out, err)
	}
	return body, nil
}

// JSONContent is the content type of JSON 1.1.
const JSONContent = "application/x-amz-json-1.1"

// RawJSON is the answer of an operation that the SDK does not know. Times are seconds.
func RawJSON(v any) (*Raw, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return &Raw{ContentType: JSONContent, Body: body}, nil
}

// EncodeJSONError writes the error document of JSON 1.1.
func EncodeJSONError(e *Error) []byte {
	body, err := json.Marshal(map[string]string{"__type": e.Code, "Message": e.Message})
	if err != nil {
		panic(err) // a map of strings always marshals
	}
	return body
}
