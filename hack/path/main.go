// Command path measures how hard it is to follow one object through the code, from the
// functions where it enters to the calls that write to AWS and to the status.
//
// It starts at the entries, in their order, and visits the functions that each one
// mentions, in the order in which they are written, depth first and each once. A mention
// is a call, or a function passed as a value. A call through an interface of the module is
// one of every type of the module that implements it; one on the object itself is one of
// the object's own method.
//
// A visited function of the module is a stop where it is an entry, or
//
//   - carries the object: an expression or variable in it has one of the object types, or
//     is a pointer, slice, array, map or channel of one, or of a struct with such a field
//   - or leads to an end by any chain of mentions.
//
// Only what stops mention is visited, and nothing that an end mentions. A function literal
// belongs to the function around it. Generated files have no stops. Where the object is
// passed as an interface or for a type parameter, whatever takes it has the object from
// then on, in whichever function.
//
// The counts are:
//
//   - stops: the stops
//   - files: the files that hold them
//   - returns: how often the way steps into another file that it was in before, be it back
//     to the stop whose mention comes next, or on to a stop that it mentions
//   - names: the different names of variables, parameters, results and fields in stops
//     that have one of the object types, or a pointer, slice, array, map or channel of one
//
// A line of the file -config has a word and what it names:
//
//	package ./cmd/manager                                loaded with all that it imports
//	object  api/v1alpha1:SessionAccess                   a type to follow; the object itself first
//	entry   controllers/reconcile:(*Frame).Reconcile     where the object enters
//	end     internal/aws/iam:(*Account).Attach           where its way ends
//	skip    controllers/sessionaccess:(*Reconciler).Cleanup
//
// Where the file has skips, the command counts a second time without these functions. With
// -C it measures another checkout. A checkout of another layout needs its own file.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("C", ".", "`directory` of the module")
	file := flag.String("config", filepath.Join("hack", "path", "path.txt"), "`file` that says where the way begins and ends")
	printWay := flag.Bool("way", false, "print the way itself, too: every stop below the one that mentions it first")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *dir, *file, *printWay); err != nil {
		fmt.Fprintln(os.Stderr, "path:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dir, file string, printWay bool) error {
	o, err := readConfig(file)
	if err != nil {
		return err
	}
	m, err := load(ctx, dir, o.packages)
	if err != nil {
		return err
	}
	whole := o
	whole.skips = nil
	w, err := follow(m, whole)
	if err != nil {
		return err
	}
	w.print(out, "the whole way", printWay)
	if len(o.skips) == 0 {
		return nil
	}
	if w, err = follow(m, o); err != nil {
		return err
	}
	w.print(out, "without what is skipped", printWay)
	return nil
}

func (w *way) print(out io.Writer, title string, all bool) {
	if all {
		for _, s := range w.stops {
			fmt.Fprintf(out, "%s%s  %s\n", strings.Repeat("  ", s.depth), s.name, s.file)
		}
		fmt.Fprintf(out, "\nnames: %s\n\n", strings.Join(w.names, " "))
	}
	fmt.Fprintf(out, "%s: %d stops, %d files, %d returns, %d names\n", title, len(w.stops), w.files(), w.returns(), len(w.names))
}
