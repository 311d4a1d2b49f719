// Command picture runs a command and draws a part of what it prints as an SVG, which looks
// like a terminal and plays at the pace of the run:
//
//	go run ./hack/picture --output demo.svg --from "Nobody has" --until "Both leave" -- bin/demo
//
// A viewer that plays no animations shows all lines.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"
)

// line is a line of the output, and how long after the one before it was printed.
type line struct {
	text  string
	after time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("picture", flag.ContinueOnError)
	output := flags.String("output", "", "`file` to write; required")
	title := flags.String("title", "", "what a screen reader says of the picture")
	from := flags.String("from", "", "beginning of the first `line` to draw")
	until := flags.String("until", "", "beginning of the first `line` not to draw")
	var cuts cutFlag
	flags.Var(&cuts, "cut", "leaves out the lines from one that begins with the first `text|text` to the one before the second; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *output == "" || flags.NArg() == 0 {
		return errors.New("say where to write with --output, and which command to run after --")
	}
	lines, err := record(ctx, flags.Args())
	if err != nil {
		return err
	}
	lines = between(lines, *from, *until)
	for _, cut := range cuts {
		lines = without(lines, cut[0], cut[1])
	}
	if len(lines) == 0 {
		return fmt.Errorf("the command printed no line that begins with %q", *from)
	}
	return os.WriteFile(*output, []byte(draw(*title, wrap(lines))), 0o644)
}

// cutFlag are pairs of beginnings of lines.
type cutFlag [][2]string

func (c *cutFlag) String() string { return fmt.Sprint(*c) }

func (c *cutFlag) Set(value string) error {
	from, until, ok := strings.Cut(value, "|")
	if !ok {
		return errors.New("it needs two texts with | between them")
	}
	*c = append(*c, [2]string{from, until})
	return nil
}

// record runs a command, shows what it prints, and returns it.
func record(ctx context.Context, args []string) ([]line, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var lines []line
	last := time.Now()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		now := time.Now()
		lines = append(lines, line{text: scanner.Text(), after: now.Sub(last)})
		last = now
		fmt.Println(scanner.Text())
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", args[0], err)
	}
	return lines, nil
}

// between returns the lines from one that begins with a text to the one before another.
func between(lines []line, from, until string) []line {
	start := index(lines, from)
	if start < 0 {
		return nil
	}
	lines = lines[start:]
	if end := index(lines, until); until != "" && end >= 0 {
		lines = lines[:end]
	}
	return lines
}

// without returns the lines but for those.
func without(lines []line, from, until string) []line {
	start := index(lines, from)
	if start < 0 {
		return lines
	}
	rest := lines[start:]
	end := index(rest, until)
	if end < 0 {
		return lines
	}
	return append(append([]line{}, lines[:start]...), rest[end:]...)
}

func index(lines []line, beginning string) int {
	for i, l := range lines {
		if strings.HasPrefix(l.text, beginning) {
			return i
		}
	}
	return -1
}
