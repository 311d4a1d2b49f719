package strictjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

func TestDecodeReadsOneValueWhole(t *testing.T) {
	got, err := strictjson.Decode(` {"a":[1,"x",true,null,{}],"A":{}} `)
	if err != nil {
		t.Fatal(err)
	}
	want := strictjson.Object{"a": []any{json.Number("1"), "x", true, nil, strictjson.Object{}}, "A": strictjson.Object{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
}

func TestDecodeRefusesWhatCanBeReadInTwoWays(t *testing.T) {
	for text, want := range map[string]error{
		`{"a":1,"a":1}`: strictjson.ErrTwice, `[{"a":{"b":1,"b":2}}]`: strictjson.ErrTwice, `{} {}`: strictjson.ErrMore, `1 2`: strictjson.ErrMore,
	} {
		if _, err := strictjson.Decode(text); !errors.Is(err, want) {
			t.Errorf("%s: the error is %v, want %v", text, err, want)
		}
	}
	for _, text := range []string{"", "{", `{"a"}`, "[1,", "x", `{"a":1]`} {
		if v, err := strictjson.Decode(text); err == nil {
			t.Errorf("%q is read as %v", text, v)
		}
	}
}
