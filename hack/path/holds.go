package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// flow knows which types and variables have the object.
type flow struct {
	// object is a pointer to the first of the types.
	object types.Type
	types  map[*types.TypeName]bool
	// taken are the variables, parameters and fields of an interface type, and the type
	// parameters, that take the object somewhere. They only ever get more.
	taken map[types.Object]bool
	// declared is the type parameter of a generic type for that of a method's receiver.
	declared map[*types.TypeParam]*types.TypeParam
}

func newFlow(m *module, objects []string) (*flow, error) {
	f := &flow{types: map[*types.TypeName]bool{}, taken: map[types.Object]bool{}, declared: map[*types.TypeParam]*types.TypeParam{}}
	for _, name := range objects {
		found := m.typeOf(name)
		if found == nil {
			return nil, fmt.Errorf("there is no type %s", name)
		}
		f.types[found] = true
		if f.object == nil {
			f.object = types.NewPointer(found.Type())
		}
	}
	return f, nil
}

// typeOf finds a type by a name such as api/v1alpha1:SessionAccess.
func (m *module) typeOf(name string) *types.TypeName {
	in, name, _ := strings.Cut(name, ":")
	for _, u := range m.packages {
		if m.short(u.Path()) == in {
			found, _ := u.Scope().Lookup(name).(*types.TypeName)
			return found
		}
	}
	return nil
}

// short is the path of a package within the module.
func (m *module) short(path string) string {
	if path == m.path {
		return "."
	}
	return strings.TrimPrefix(path, m.path+"/")
}

// take remembers that a variable or a type parameter takes the object.
func (f *flow) take(o types.Object) { f.taken[o] = true }

// is reports whether a type is one of those that are followed, or a pointer, slice, array,
// map or channel of it.
func (f *flow) is(t types.Type) bool {
	t = elementOf(t)
	switch t := t.(type) {
	case *types.Named:
		return f.types[t.Origin().Obj()]
	case *types.TypeParam:
		return f.taken[f.parameter(t)]
	default:
		return false
	}
}

// carries reports whether a type is followed, or is a struct with such a field.
func (f *flow) carries(t types.Type) bool {
	if t == nil {
		return false
	}
	if f.is(t) {
		return true
	}
	s, ok := elementOf(t).Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for field := range s.Fields() {
		if f.is(field.Type()) || f.taken[field.Origin()] {
			return true
		}
	}
	return false
}

// hasObject reports whether a variable has one of the types that are followed, or takes
// the object as an interface.
func (f *flow) hasObject(v *types.Var) bool { return f.is(v.Type()) || f.taken[v.Origin()] }

// isObject reports whether the value of an expression is the object, whatever its static type.
func (f *flow) isObject(info *types.Info, e ast.Expr) bool {
	if f.is(info.TypeOf(e)) {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := info.ObjectOf(e).(*types.Var)
		return ok && f.taken[v.Origin()]
	case *ast.SelectorExpr:
		v, ok := info.Uses[e.Sel].(*types.Var)
		return ok && f.taken[v.Origin()]
	case *ast.TypeAssertExpr:
		return f.isObject(info, e.X)
	case *ast.CallExpr: // A conversion.
		return len(e.Args) == 1 && info.Types[e.Fun].IsType() && f.isObject(info, e.Args[0])
	default:
		return false
	}
}

// parameter is the type parameter that stands for a type parameter in its declaration.
func (f *flow) parameter(t *types.TypeParam) *types.TypeName {
	if d := f.declared[t]; d != nil {
		t = d
	}
	return t.Obj()
}

// elementOf strips pointers, slices, arrays, maps and channels.
func elementOf(t types.Type) types.Type {
	for {
		t = types.Unalias(t)
		switch outer := t.(type) {
		case *types.Pointer:
			t = outer.Elem()
		case *types.Slice:
			t = outer.Elem()
		case *types.Array:
			t = outer.Elem()
		case *types.Map:
			t = outer.Elem()
		case *types.Chan:
			t = outer.Elem()
		default:
			return t
		}
	}
}
