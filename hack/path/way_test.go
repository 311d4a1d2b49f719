package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shop is a small module. Its ways begin at the entries of the rows.
func shop(t *testing.T) *module {
	t.Helper()
	m, err := load(t.Context(), filepath.Join("testdata", "shop"), []string{"./..."})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var followed = config{
	objects: []string{"order:Order", "order:Bill"},
	ends:    []string{"store:Write"},
}

func TestWhatIsOnTheWay(t *testing.T) {
	m := shop(t)
	for _, row := range []struct {
		what           string
		entries, skips []string
		stops, names   string
		files, returns int
	}{
		{
			what:    "a helper counts once, one without the order only where it leads to the end",
			entries: []string{"desk:Direct"},
			stops:   "desk:Direct .desk:check ..desk:sum .desk:price .desk:send ..store:Write",
			names:   "Bill bill o", files: 3,
			returns: 3, // back to Direct, on to price, back to Direct
		},
		{
			what:    "what is skipped hides what it alone mentions",
			entries: []string{"desk:Direct"}, skips: []string{"desk:send", "desk:check"},
			stops: "desk:Direct .desk:price ..desk:sum",
			names: "Bill bill o", files: 2,
		},
		{
			what:    "a struct with the order carries it, and its field is a name",
			entries: []string{"desk:Holding"},
			stops:   "desk:Holding .desk:pack ..desk:(parcel).tie",
			names:   "content wanted", files: 2,
		},
		{
			what:    "a function that is passed on is mentioned",
			entries: []string{"desk:Passing"},
			stops:   "desk:Passing .desk:each .desk:check ..desk:sum",
			names:   "Bill all bill list o", files: 2,
		},
		{
			what:    "an interface takes the order, and its method is the order's own",
			entries: []string{"desk:Hidden"},
			stops:   "desk:Hidden .desk:label ..order:(*Order).GetNumber",
			names:   "o same thing", files: 3,
		},
		{
			what:    "an interface that takes something else has no order",
			entries: []string{"desk:Other"},
			stops:   "desk:Other",
			files:   1,
		},
		{
			what:    "a circle ends",
			entries: []string{"desk:Circle"},
			stops:   "desk:Circle .desk:back",
			names:   "o", files: 1,
		},
		{
			what:    "type parameters take the order, and only its kind is called",
			entries: []string{"frame:(*Frame).Run"},
			stops:   "frame:(*Frame).Run .frame:(Orders).Handle ..frame:pick .frame:(*Scope).number ..order:(*Order).GetNumber",
			names:   "Object from o t", files: 2,
		},
		{
			what:    "entries are followed in their order, and an earlier stop is not repeated",
			entries: []string{"desk:Passing", "desk:Direct"},
			stops:   "desk:Passing .desk:each .desk:check ..desk:sum desk:Direct .desk:price .desk:send ..store:Write",
			names:   "Bill all bill list o", files: 3,
			returns: 3, // on to Direct, to price, and back
		},
	} {
		t.Run(row.what, func(t *testing.T) {
			c := followed
			c.entries, c.skips = row.entries, row.skips
			w, err := follow(m, c)
			if err != nil {
				t.Fatal(err)
			}
			var stops []string
			for _, s := range w.stops {
				stops = append(stops, strings.Repeat(".", s.depth)+s.name)
			}
			if got := strings.Join(stops, " "); got != row.stops {
				t.Errorf("stops\n%s, want\n%s", got, row.stops)
			}
			if got := strings.Join(w.names, " "); got != row.names {
				t.Errorf("names %s, want %s", got, row.names)
			}
			if w.files() != row.files || w.returns() != row.returns {
				t.Errorf("%d files and %d returns, want %d and %d", w.files(), w.returns(), row.files, row.returns)
			}
		})
	}
}

func TestReturnsCountTheWayBackToTheCaller(t *testing.T) {
	w := way{stops: []stop{{file: "a"}, {file: "b", depth: 1}, {file: "b", depth: 2}, {file: "c", depth: 1}, {file: "b", depth: 1}}}
	// b and c are new when they are first reached; from each the way returns to a, and at
	// last to b.
	if got := w.returns(); got != 3 {
		t.Errorf("%d returns, want 3", got)
	}
}

func TestTheSameModuleGivesTheSameWay(t *testing.T) {
	c := followed
	c.entries = []string{"frame:(*Frame).Run", "desk:Direct", "desk:Hidden", "desk:Passing"}
	first, err := follow(shop(t), c)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := follow(shop(t), c)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(first.stops, again.stops) || !slices.Equal(first.names, again.names) {
			t.Fatalf("%+v, and then %+v", first, again)
		}
	}
}

func TestNamesThatDoNotExistAreErrors(t *testing.T) {
	m := shop(t)
	for _, c := range []config{
		{objects: []string{"order:Nothing"}, entries: []string{"desk:Direct"}},
		{objects: followed.objects, entries: []string{"desk:Nothing"}},
		{objects: followed.objects, entries: []string{"desk:Direct"}, ends: []string{"desk:Nothing"}},
		{objects: followed.objects, entries: []string{"desk:Direct"}, skips: []string{"desk:Nothing"}},
	} {
		if _, err := follow(m, c); err == nil || !strings.Contains(err.Error(), "Nothing") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestConfigNamesEverythingOrIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		"# way\npackage ./...\n\nobject a:B\nentry a:F\nend a:G\nskip a:H\n": "",
		"package ./...\nobject a:B\n":                                        "names no package, no object or no entry",
		"package ./...\nobject a:B\nentry a:F\nbegin a:F\n":                  `"begin a:F" is not a word and a name`,
		"entry a:F a:G\n": `"entry a:F a:G" is not a word and a name`,
	} {
		file := filepath.Join(t.TempDir(), "path.txt")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readConfig(file)
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
