package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// appendBenchmarks adds the figures to a file in Go's format of benchmarks, a
// line for each row, for benchstat to compare. Without a file it does nothing.
func appendBenchmarks(path string, figures []figure) (err error) {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the benchmarks: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	for _, line := range benchmarks(figures) {
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// benchmarks are the lines of the rows that were measured.
func benchmarks(figures []figure) []string {
	var lines []string
	last := ""
	for _, f := range figures {
		if f.metric == "" || math.IsNaN(f.value) {
			continue
		}
		if f.row != last {
			lines = append(lines, benchmarkName(f.row)+" 1")
			last = f.row
		}
		lines[len(lines)-1] += " " + strconv.FormatFloat(f.value*f.scale, 'f', -1, 64) + " " + f.metric
	}
	return lines
}

// benchmarkName is a row's name as Go spells that of a benchmark.
func benchmarkName(row string) string {
	var name strings.Builder
	name.WriteString("Benchmark")
	for _, word := range strings.FieldsFunc(row, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String()
}
