package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// module is the type-checked code of a module, without its tests.
type module struct {
	path, dir string
	files     *token.FileSet
	// packages of the module: each comes after those that it imports.
	packages []*unit
}

// unit is one package of the module.
type unit struct {
	*types.Package
	info  *types.Info
	files []*ast.File
}

// listed is a package as "go list" describes it.
type listed struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Module          *struct {
		Path, Dir string
		Main      bool
	}

	parsed []*ast.File
}

func (l *listed) isOwn() bool { return l.Module != nil && l.Module.Main }

// load reads packages of the module in a directory, with all that they import. It checks
// everything from source, and needs no compiled package: of what other modules have, only
// the declarations.
func load(ctx context.Context, dir string, patterns []string) (*module, error) {
	packages, err := list(ctx, dir, patterns)
	if err != nil {
		return nil, err
	}
	m := &module{files: token.NewFileSet()}
	if err := parse(m.files, packages); err != nil {
		return nil, err
	}
	checked := map[string]*types.Package{"unsafe": types.Unsafe}
	for _, p := range packages {
		if p.ImportPath == "unsafe" {
			continue
		}
		u := &unit{files: p.parsed, info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{},
		}}
		var failures []error
		config := types.Config{
			FakeImportC: true, IgnoreFuncBodies: !p.isOwn(), Sizes: types.SizesFor("gc", runtime.GOARCH),
			Importer: importer{checked, p.ImportMap},
			Error:    func(err error) { failures = append(failures, err) },
		}
		u.Package, _ = config.Check(p.ImportPath, m.files, p.parsed, u.info)
		checked[p.ImportPath] = u.Package
		p.parsed = nil
		if !p.isOwn() {
			continue // What is odd in it does not matter here.
		}
		if len(failures) > 0 {
			return nil, errors.Join(failures...)
		}
		m.path, m.dir = p.Module.Path, p.Module.Dir
		m.packages = append(m.packages, u)
	}
	if len(m.packages) == 0 {
		return nil, fmt.Errorf("%s has no package of its module in %v", dir, patterns)
	}
	return m, nil
}

// importer finds the packages that were checked before.
type importer struct {
	checked map[string]*types.Package
	// renamed are imports of vendored packages.
	renamed map[string]string
}

// Import implements types.Importer.
func (i importer) Import(path string) (*types.Package, error) {
	if to, ok := i.renamed[path]; ok {
		path = to
	}
	if p := i.checked[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("package %s is not listed", path)
}

// list returns packages and all that they import, each after what it imports itself.
func list(ctx context.Context, dir string, patterns []string) ([]*listed, error) {
	args := append([]string{"list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Module", "--"}, patterns...)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages of %s: %w: %s", dir, err, strings.TrimSpace(problems.String()))
	}
	var packages []*listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listed{}
		if err := decoder.Decode(p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list prints: %w", err)
		}
		packages = append(packages, p)
	}
}

// parse reads the files of packages, and keeps the bodies of the module's own functions.
func parse(files *token.FileSet, packages []*listed) error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range packages {
		p.parsed = make([]*ast.File, len(p.GoFiles))
		mode := parser.SkipObjectResolution
		if p.isOwn() {
			mode |= parser.ParseComments // They say which files are generated.
		}
		for i, name := range p.GoFiles {
			work.Go(func() error {
				file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, mode)
				if err != nil {
					return fmt.Errorf("parse a file: %w", err)
				}
				if !p.isOwn() {
					dropBodies(file)
				}
				p.parsed[i] = file
				return nil
			})
		}
	}
	return work.Wait()
}

func dropBodies(file *ast.File) {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			f.Body = nil
		}
	}
}
