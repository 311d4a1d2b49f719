package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// figure is one number of a row.
type figure struct {
	row, name string
	value     float64
	unit      string
	// most is the bound; NaN where there is none.
	most float64
	// metric is the figure's unit in Go's format of benchmarks, in which builds are
	// compared, and scale what turns the value into it. Empty: it is not compared.
	metric string
	scale  float64
}

// compared is the same number with a unit in which builds are compared.
func (f figure) compared(metric string, scale float64) figure {
	f.metric, f.scale = metric, scale
	return f
}

// count is a number without a bound.
func count(name string, n int) figure {
	return figure{name: name, value: float64(n), most: math.NaN()}
}

// within is a number with a bound.
func within(name string, n int, most float64) figure {
	return figure{name: name, value: float64(n), most: most}
}

func ratio(name string, value float64) figure {
	return figure{name: name, value: value, most: math.NaN()}
}

func millis(name string, d time.Duration) figure {
	return figure{name: name, value: float64(d.Microseconds()) / 1000, unit: "ms", most: math.NaN()}
}

func seconds(name string, d time.Duration) figure {
	return figure{name: name, value: d.Seconds(), unit: "s", most: math.NaN()}
}

func mebibytes(name string, bytes uint64) figure {
	return figure{name: name, value: math.Round(float64(bytes) / (1 << 20)), unit: "MiB", most: math.NaN()}
}

// notMeasured is the figure in the table of a row that was not run.
func notMeasured(row, command string) figure {
	return figure{row: row, name: "not measured: run " + command, value: math.NaN(), most: math.NaN()}
}

// bounded is the same number with a bound, in its unit.
func (f figure) bounded(most float64) figure {
	f.most = most
	return f
}

// holds reports whether the number keeps its bound.
func (f figure) holds() bool { return math.IsNaN(f.most) || f.value <= f.most }

// printTable writes one table of all figures.
func printTable(out io.Writer, figures []figure) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROW\tFIGURE\tMEASURED\tBOUND\t")
	last := ""
	for _, f := range figures {
		shown := f.row
		if f.row == last {
			shown = ""
		}
		last = f.row
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", shown, f.name, f.text(f.value), f.bound(), f.verdict())
	}
	_ = table.Flush() // Nothing can be done when the terminal is gone.
}

func (f figure) text(value float64) string {
	if math.IsNaN(value) {
		return ""
	}
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if value != math.Trunc(value) {
		text = strconv.FormatFloat(value, 'f', 2, 64)
	}
	if f.unit == "" {
		return text
	}
	return text + " " + f.unit
}

func (f figure) bound() string {
	if math.IsNaN(f.most) {
		return ""
	}
	return "at most " + f.text(f.most)
}

func (f figure) verdict() string {
	switch {
	case math.IsNaN(f.most):
		return ""
	case f.holds():
		return "ok"
	default:
		return "EXCEEDED"
	}
}

// broken is an error that names every bound that does not hold.
func broken(figures []figure) error {
	var errs []error
	for _, f := range slices.DeleteFunc(slices.Clone(figures), figure.holds) {
		errs = append(errs, fmt.Errorf("%s: %s is %s, and the bound is %s", f.row, f.name, f.text(f.value), f.text(f.most)))
	}
	return errors.Join(errs...)
}
