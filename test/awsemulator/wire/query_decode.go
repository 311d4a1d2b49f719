package wire

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DecodeQuery fills the SDK input structure that into points to from a form
// as the query protocol sends it. A value of the wrong form is a
// MalformedInput error with status 400; parameters that the shape does not
// know are ignored, as AWS does.
func (d *Dialect) DecodeQuery(form url.Values, into any) error {
	root := newFormTree(form)
	return d.decodeStruct(root, reflect.ValueOf(into).Elem())
}

// formTree is a form with its dotted keys taken apart.
type formTree struct {
	value    string
	set      bool
	children map[string]*formTree
}

func newFormTree(form url.Values) *formTree {
	root := &formTree{}
	for key, values := range form {
		node := root
		for part := range strings.SplitSeq(key, ".") {
			if node.children == nil {
				node.children = map[string]*formTree{}
			}
			next := node.children[part]
			if next == nil {
				next = &formTree{}
				node.children[part] = next
			}
			node = next
		}
		if len(values) > 0 {
			node.value, node.set = values[0], true
		}
	}
	return root
}

// items returns the entries of a list in the order of their numbers, which
// need not be without gaps, nor be written shortly.
func (n *formTree) items() []*formTree {
	type numbered struct {
		number int
		node   *formTree
	}
	var list []numbered
	for key, node := range n.children {
		if i, err := strconv.Atoi(key); err == nil {
			list = append(list, numbered{i, node})
		}
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	items := make([]*formTree, len(list))
	for i, entry := range list {
		items[i] = entry.node
	}
	return items
}

func (d *Dialect) decodeStruct(node *formTree, into reflect.Value) error {
	for _, f := range fieldsOf(into.Type()) {
		child := node.children[d.inName(into.Type(), f.name)]
		if child == nil {
			continue
		}
		if err := d.decodeValue(f.name, child, into.Field(f.index)); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dialect) decodeValue(name string, node *formTree, into reflect.Value) error {
	switch {
	case into.Type() == bytesType:
		raw, err := base64.StdEncoding.DecodeString(node.value)
		if err != nil {
			return malformed(name, node.value)
		}
		into.SetBytes(raw)
		return nil
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return d.decodeValue(name, node, into.Elem())
	case into.Kind() == reflect.Slice:
		return d.decodeList(name, node, into)
	case into.Kind() == reflect.Map:
		return d.decodeMap(name, node, into)
	case into.Kind() == reflect.Struct && into.Type() != timeType:
		return d.decodeStruct(node, into)
	default:
		return decodeScalar(name, node.value, into)
	}
}

func (d *Dialect) decodeList(name string, node *formTree, into reflect.Value) error {
	if !d.flatLists {
		if node.children["member"] == nil {
			// An empty list is sent as "Name=".
			into.Set(reflect.MakeSlice(into.Type(), 0, 0))
			return nil
		}
		node = node.children["member"]
	}
	items := node.items()
	list := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.decodeValue(name, item, list.Index(i)); err != nil {
			return err
		}
	}
	into.Set(list)
	return nil
}

func (d *Dialect) decodeMap(name string, node *formTree, into reflect.Value) error {
	if entries := node.children["entry"]; entries != nil {
		node = entries
	}
	result := reflect.MakeMap(into.Type())
	for _, item := range node.items() {
		key, value := item.children["key"], item.children["value"]
		if key == nil || value == nil {
			return malformed(name, "an entry without key or value")
		}
		v := reflect.New(into.Type().Elem()).Elem()
		if err := d.decodeValue(name, value, v); err != nil {
			return err
		}
		result.SetMapIndex(reflect.ValueOf(key.value).Convert(into.Type().Key()), v)
	}
	into.Set(result)
	return nil
}

func decodeScalar(name, text string, into reflect.Value) error {
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return malformed(name, text)
		}
		into.SetBool(b)
	case reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, into.Type().Bits())
		if err != nil {
			return malformed(name, text)
		}
		into.SetInt(i)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, into.Type().Bits())
		if err != nil {
			return malformed(name, text)
		}
		into.SetFloat(f)
	case reflect.Struct: // time.Time
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return malformed(name, text)
		}
		into.Set(reflect.ValueOf(t))
	default:
		return malformed(name, text)
	}
	return nil
}

func malformed(name, value string) error {
	return Errorf(400, "MalformedInput", "The value %q is not of the form that %s has", value, name)
}
