package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// queryTime is the form of a timestamp in the query protocols.
const queryTime = "2006-01-02T15:04:05Z"

// ec2Time is the form of a timestamp in EC2's answers.
const ec2Time = "2006-01-02T15:04:05.000Z"

// EncodeAnswer writes the XML document that answers operation with out, a
// pointer to the SDK's output structure.
func (d *Dialect) EncodeAnswer(operation, requestID string, out any) []byte {
	var b xmlBuffer
	b.open(operation+"Response", d.Namespace)
	value := reflect.ValueOf(out).Elem()
	if d.ec2 {
		b.text("requestId", requestID)
		d.encodeStruct(&b, value)
	} else {
		if len(fieldsOf(value.Type())) > 0 {
			b.start(operation + "Result")
			d.encodeStruct(&b, value)
			b.end(operation + "Result")
		}
		b.start("ResponseMetadata")
		b.text("RequestId", requestID)
		b.end("ResponseMetadata")
	}
	b.end(operation + "Response")
	return b.Bytes()
}

// EncodeError writes the XML error document of the dialect.
func (d *Dialect) EncodeError(requestID string, e *Error) []byte {
	var b xmlBuffer
	if d.ec2 {
		b.WriteString(xml.Header)
		b.start("Response")
		b.start("Errors")
		b.start("Error")
		b.text("Code", e.Code)
		b.text("Message", e.Message)
		b.end("Error")
		b.end("Errors")
		b.text("RequestID", requestID)
		b.end("Response")
		return b.Bytes()
	}
	if d.bareErrors {
		b.WriteString(xml.Header)
		b.start("Error")
		b.text("Code", e.Code)
		b.text("Message", e.Message)
		b.text("RequestId", requestID)
		b.end("Error")
		return b.Bytes()
	}
	if d.namedErrors {
		b.start(e.Code)
		b.text("Message", e.Message)
		b.end(e.Code)
		return b.Bytes()
	}
	b.open("ErrorResponse", d.Namespace)
	b.start("Error")
	b.text("Type", e.errorType())
	b.text("Code", e.Code)
	b.text("Message", e.Message)
	b.end("Error")
	b.text("RequestId", requestID)
	b.end("ErrorResponse")
	return b.Bytes()
}

func (d *Dialect) encodeStruct(b *xmlBuffer, v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		d.encodeMember(b, d.outName(v.Type(), f.name), v.Field(f.index))
	}
}

// encodeMember writes one element, or nothing for a value that is not set. An
// empty list that is set becomes an empty element, as AWS answers it.
func (d *Dialect) encodeMember(b *xmlBuffer, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.encodeMember(b, name, v.Elem())
		}
	case reflect.Slice:
		d.encodeList(b, name, v)
	case reflect.Map:
		d.encodeMap(b, name, v)
	case reflect.Struct:
		if v.Type() == timeType {
			b.text(name, d.formatTime(v.Interface().(time.Time)))
			return
		}
		b.start(name)
		d.encodeStruct(b, v)
		b.end(name)
	case reflect.String:
		if v.Len() > 0 || v.Type() == reflect.TypeFor[string]() {
			b.text(name, v.String())
		}
	case reflect.Bool:
		b.text(name, strconv.FormatBool(v.Bool()))
	case reflect.Int32, reflect.Int64:
		b.text(name, strconv.FormatInt(v.Int(), 10))
	case reflect.Float32, reflect.Float64:
		b.text(name, strconv.FormatFloat(v.Float(), 'g', -1, 64))
	}
}

func (d *Dialect) encodeList(b *xmlBuffer, name string, v reflect.Value) {
	if v.IsNil() {
		return
	}
	if v.Type() == bytesType {
		b.text(name, base64.StdEncoding.EncodeToString(v.Bytes()))
		return
	}
	b.start(name)
	for i := range v.Len() {
		d.encodeMember(b, d.itemName, v.Index(i))
	}
	b.end(name)
}

func (d *Dialect) encodeMap(b *xmlBuffer, name string, v reflect.Value) {
	if v.IsNil() {
		return
	}
	keys := map[string]reflect.Value{}
	for _, k := range v.MapKeys() {
		keys[k.String()] = v.MapIndex(k)
	}
	b.start(name)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		b.start("entry")
		b.text("key", k)
		d.encodeMember(b, "value", keys[k])
		b.end("entry")
	}
	b.end(name)
}

func (d *Dialect) formatTime(t time.Time) string {
	if d.ec2 {
		return t.UTC().Format(ec2Time)
	}
	return t.UTC().Format(queryTime)
}

// xmlBuffer writes elements whose names are known to be plain.
type xmlBuffer struct{ bytes.Buffer }

func (b *xmlBuffer) open(name, namespace string) {
	b.WriteString(`<` + name + ` xmlns="` + namespace + `">`)
}

func (b *xmlBuffer) start(name string) {
	b.WriteByte('<')
	b.WriteString(name)
	b.WriteByte('>')
}

func (b *xmlBuffer) end(name string) {
	b.WriteString("</")
	b.WriteString(name)
	b.WriteByte('>')
}

func (b *xmlBuffer) text(name, value string) {
	b.start(name)
	// The error can only come from the writer, and a buffer never fails.
	_ = xml.EscapeText(b, []byte(value))
	b.end(name)
}
