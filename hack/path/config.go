package main

import (
	"fmt"
	"os"
	"strings"
)

// config says what is followed. All names are as the way prints them.
type config struct {
	packages, objects    []string
	entries, ends, skips []string
}

// readConfig reads a file of lines with a word and a name. A line that begins with # is a
// comment.
func readConfig(file string) (config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return config{}, fmt.Errorf("read what to follow: %w", err)
	}
	var c config
	lists := map[string]*[]string{"package": &c.packages, "object": &c.objects, "entry": &c.entries, "end": &c.ends, "skip": &c.skips}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		list := lists[fields[0]]
		if list == nil || len(fields) != 2 {
			return config{}, fmt.Errorf("%s: %q is not a word and a name", file, strings.TrimSpace(line))
		}
		*list = append(*list, fields[1])
	}
	if len(c.packages) == 0 || len(c.objects) == 0 || len(c.entries) == 0 {
		return config{}, fmt.Errorf("%s names no package, no object or no entry", file)
	}
	return c, nil
}
