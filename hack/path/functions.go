package main

import (
	"go/ast"
	"go/types"
	"path/filepath"
	"slices"
)

// function is a function of the module that was written by hand.
type function struct {
	*types.Func
	decl *ast.FuncDecl
	info *types.Info
	// name is as in controllers/principal:(*Reconciler).Reconcile.
	name string
	// file is its path within the module.
	file string
}

// code is the functions of a module, and what they mention.
type code struct {
	*module
	flow *flow
	// all functions, by package, file and position.
	all    []*function
	byFunc map[*types.Func]*function
	// concrete are the types that may have an interface.
	concrete []*types.TypeName
}

func newCode(m *module, f *flow) *code {
	c := &code{module: m, flow: f, byFunc: map[*types.Func]*function{}}
	for _, u := range m.packages {
		for _, file := range u.files {
			if ast.IsGenerated(file) {
				continue
			}
			for _, d := range file.Decls {
				if decl, ok := d.(*ast.FuncDecl); ok && decl.Body != nil {
					c.add(u, decl)
				}
			}
		}
		for _, name := range u.Scope().Names() {
			if t, ok := u.Scope().Lookup(name).(*types.TypeName); ok && isConcrete(t) {
				c.concrete = append(c.concrete, t)
			}
		}
	}
	return c
}

// isConcrete reports whether a declaration makes a type that is no interface and has no
// type parameters.
func isConcrete(t *types.TypeName) bool {
	named, ok := t.Type().(*types.Named)
	return ok && !t.IsAlias() && named.TypeParams().Len() == 0 && !types.IsInterface(named)
}

func (c *code) add(u *unit, decl *ast.FuncDecl) {
	f, ok := u.info.Defs[decl.Name].(*types.Func)
	if !ok {
		return
	}
	name := f.Name()
	if recv := f.Signature().Recv(); recv != nil {
		star, t := "", types.Unalias(recv.Type())
		if p, ok := t.(*types.Pointer); ok {
			star, t = "*", types.Unalias(p.Elem())
		}
		if named, ok := t.(*types.Named); ok {
			name = "(" + star + named.Obj().Name() + ")." + name
			c.flow.declare(f.Signature().RecvTypeParams(), named.Origin().TypeParams())
		}
	}
	file, err := filepath.Rel(c.dir, c.files.Position(decl.Pos()).Filename)
	if err != nil {
		file = c.files.Position(decl.Pos()).Filename
	}
	fn := &function{Func: f, decl: decl, info: u.info, name: c.short(u.Path()) + ":" + name, file: filepath.ToSlash(file)}
	c.all = append(c.all, fn)
	c.byFunc[f] = fn
}

// mentions are the functions of the module that a function calls or passes on, each once
// and in the order in which they are written.
func (c *code) mentions(f *function) []*function {
	var found []*function
	selectors := map[*ast.Ident]*ast.SelectorExpr{}
	ast.Inspect(f.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			selectors[n.Sel] = n
		case *ast.Ident:
			for _, t := range c.targets(f.info, n, selectors[n]) {
				if t != f && !slices.Contains(found, t) {
					found = append(found, t)
				}
			}
		}
		return true
	})
	return found
}

// targets are the functions that an identifier can stand for. selector is nil where it is
// not selected from anything.
func (c *code) targets(info *types.Info, name *ast.Ident, selector *ast.SelectorExpr) []*function {
	f, ok := info.Uses[name].(*types.Func)
	if !ok {
		return nil
	}
	if recv := f.Signature().Recv(); selector != nil && recv != nil && types.IsInterface(recv.Type()) {
		return c.implementations(info, selector, f)
	}
	if fn := c.byFunc[f.Origin()]; fn != nil {
		return []*function{fn}
	}
	return nil
}

// implementations are the methods that a method of an interface can stand for.
func (c *code) implementations(info *types.Info, selector *ast.SelectorExpr, method *types.Func) []*function {
	if c.flow.isObject(info, selector.X) {
		return c.methodsOf(nil, c.flow.object, method)
	}
	in := method.Signature().Recv().Type()
	if s := info.Selections[selector]; s != nil && types.IsInterface(s.Recv()) {
		in = s.Recv()
	}
	named, ok := types.Unalias(in).(*types.Named)
	if !ok || !c.isOwn(named.Obj().Pkg()) {
		return nil
	}
	iface := c.flow.instance(named)
	if iface == nil {
		return nil
	}
	var found []*function
	for _, t := range c.concrete {
		if p := types.NewPointer(t.Type()); types.Implements(p, iface) {
			found = c.methodsOf(found, p, method)
		}
	}
	return found
}

func (c *code) isOwn(p *types.Package) bool {
	return slices.ContainsFunc(c.packages, func(u *unit) bool { return u.Package == p })
}

// methodsOf adds the method of a name that a type has.
func (c *code) methodsOf(to []*function, t types.Type, method *types.Func) []*function {
	found, _, _ := types.LookupFieldOrMethod(t, true, method.Pkg(), method.Name())
	if f, ok := found.(*types.Func); ok {
		if fn := c.byFunc[f.Origin()]; fn != nil && !slices.Contains(to, fn) {
			to = append(to, fn)
		}
	}
	return to
}

// carries reports whether an expression or a variable in a function carries the object.
func (c *code) carries(f *function) bool {
	found := false
	ast.Inspect(f.decl, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && !found {
			v, _ := f.info.ObjectOf(identOf(e)).(*types.Var)
			found = c.flow.carries(f.info.TypeOf(e)) || (v != nil && c.flow.hasObject(v))
		}
		return !found
	})
	return found
}

func identOf(e ast.Expr) *ast.Ident {
	i, _ := e.(*ast.Ident)
	return i
}

// names are the names in a function that have the object.
func (c *code) names(f *function) []string {
	var found []string
	ast.Inspect(f.decl, func(n ast.Node) bool {
		if i, ok := n.(*ast.Ident); ok && i.Name != "_" {
			if v, ok := f.info.ObjectOf(i).(*types.Var); ok && c.flow.hasObject(v) {
				found = append(found, i.Name)
			}
		}
		return true
	})
	return found
}
