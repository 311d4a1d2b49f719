package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

// declare remembers which type parameters a method's receiver repeats.
func (f *flow) declare(repeated, declared *types.TypeParamList) {
	for i := range repeated.Len() {
		f.declared[repeated.At(i)] = declared.At(i)
	}
}

// enter lets the type parameters of an entry stand for the object where they can.
func (f *flow) enter(entry *types.Func) {
	for _, list := range []*types.TypeParamList{entry.Signature().RecvTypeParams(), entry.Signature().TypeParams()} {
		for p := range list.TypeParams() {
			if bound, ok := p.Constraint().Underlying().(*types.Interface); ok && types.Satisfies(f.object, bound) {
				f.take(f.parameter(p))
			}
		}
	}
}

// instance is an interface with the object in place of its type parameters; nil where
// one of them does not take the object.
func (f *flow) instance(t *types.Named) *types.Interface {
	var with []types.Type
	for arg := range t.TypeArgs().Types() {
		if p, ok := types.Unalias(arg).(*types.TypeParam); ok {
			if !f.is(p) {
				return nil
			}
			arg = f.object
		}
		with = append(with, arg)
	}
	if len(with) == 0 {
		i, _ := t.Underlying().(*types.Interface)
		return i
	}
	whole, err := types.Instantiate(nil, t.Origin(), with, false)
	if err != nil {
		return nil
	}
	i, _ := whole.Underlying().(*types.Interface)
	return i
}

// takeFrom finds what takes the object in a function that is a stop.
func (c *code) takeFrom(f *function) {
	info := f.info
	ast.Inspect(f.decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if instance, ok := info.Instances[n]; ok {
				c.flow.bind(parametersOf(info.Uses[n]), instance.TypeArgs)
			}
		case *ast.SelectorExpr:
			if s := info.Selections[n]; s != nil {
				if named, ok := elementOf(s.Recv()).(*types.Named); ok {
					c.flow.bind(named.Origin().TypeParams(), named.TypeArgs())
				}
			}
		case *ast.CallExpr:
			c.takeArguments(info, n)
		case *ast.AssignStmt:
			c.flow.takeValues(info, n.Lhs, n.Rhs)
		case *ast.KeyValueExpr:
			c.flow.takeValues(info, []ast.Expr{n.Key}, []ast.Expr{n.Value})
		case *ast.ValueSpec:
			var names []ast.Expr
			for _, name := range n.Names {
				names = append(names, name)
			}
			c.flow.takeValues(info, names, n.Values)
		case *ast.RangeStmt:
			if n.Value != nil && n.Tok != token.ILLEGAL {
				c.flow.takeValues(info, []ast.Expr{n.Value}, []ast.Expr{n.X})
			}
		}
		return true
	})
}

func parametersOf(o types.Object) *types.TypeParamList {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin().Signature().TypeParams()
	case *types.TypeName:
		if named, ok := types.Unalias(o.Type()).(*types.Named); ok {
			return named.Origin().TypeParams()
		}
	}
	return nil
}

// bind takes the type parameters that the object or one of its types is put in for.
func (f *flow) bind(parameters *types.TypeParamList, arguments *types.TypeList) {
	for i := range min(parameters.Len(), arguments.Len()) {
		if f.is(arguments.At(i)) {
			f.take(f.parameter(parameters.At(i)))
		}
	}
}

// takeArguments takes the parameters of interface types that the object is passed for.
func (c *code) takeArguments(info *types.Info, call *ast.CallExpr) {
	var name *ast.Ident
	selector, _ := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if selector != nil {
		name = selector.Sel
	} else if name = identOf(ast.Unparen(call.Fun)); name == nil {
		return
	}
	for _, target := range c.targets(info, name, selector) {
		parameters := target.Signature().Params()
		for i, argument := range call.Args {
			if i = min(i, parameters.Len()-1); i >= 0 && c.flow.isObject(info, argument) {
				c.flow.takeInterface(parameters.At(i))
			}
		}
	}
}

// takeValues takes the variables and fields of interface types that the object is put in.
func (f *flow) takeValues(info *types.Info, to, values []ast.Expr) {
	for i, value := range values {
		if i >= len(to) || !f.isObject(info, value) {
			continue
		}
		name := identOf(to[i])
		if s, ok := to[i].(*ast.SelectorExpr); ok {
			name = s.Sel
		}
		if name == nil {
			continue
		}
		if v, ok := info.ObjectOf(name).(*types.Var); ok {
			f.takeInterface(v)
		}
	}
}

// takeInterface takes a variable of an interface type. One of any other type has the
// object by its type, or has something else.
func (f *flow) takeInterface(v *types.Var) {
	t := elementOf(v.Type())
	if _, ok := t.(*types.TypeParam); !ok && types.IsInterface(t) {
		f.take(v.Origin())
	}
}
