package awsemulator

import (
	"fmt"
	"reflect"
	"strings"
)

// longestParameter bounds what the log keeps of one parameter.
const longestParameter = 256

// withheld reports whether a parameter stays out of the log: documents for
// their length, codes because they are secrets.
func withheld(name string) bool {
	return strings.HasSuffix(name, "Document") || strings.HasSuffix(name, "Code") || name == "Content"
}

// parametersOf picks the plain parameters of an input for the log.
func parametersOf(in any) map[string]string {
	v := reflect.ValueOf(in).Elem()
	parameters := map[string]string{}
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		switch f.Kind() {
		case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		default:
			continue
		}
		if f.IsZero() || !v.Type().Field(i).IsExported() || withheld(name) {
			continue
		}
		if text := fmt.Sprint(f.Interface()); len(text) <= longestParameter {
			parameters[name] = text
		}
	}
	return parameters
}
