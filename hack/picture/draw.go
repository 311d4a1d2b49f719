package main

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// columns is the width at which sentences are wrapped, in characters.
	columns = 100
	// charWidth and lineHeight are in the picture's units, which are pixels at full size.
	charWidth, lineHeight = 8.4, 20
	// margin is around the text, and bar is the height of the window's title bar.
	margin, bar = 16, 32
	// longest is how long a line may let a viewer wait.
	longest = 1500 * time.Millisecond
)

// The colors of the window and of lines: what is said, commands, and the rest.
const (
	background = "#0d1117"
	plain      = "#c9d1d9"
	sentence   = "#f0f6fc"
	command    = "#79c0ff"
)

// words have colors wherever they are.
var words = []struct{ text, color string }{
	{"AccessDenied", "#ff7b72"}, {"session opens", "#7ee787"}, {"Granted", "#7ee787"}, {"Verified", "#7ee787"},
}

// wrap breaks sentences that are wider than the picture, and removes lines that are empty
// at the end.
func wrap(lines []line) []line {
	var wrapped []line
	for _, l := range lines {
		text := l.text
		for len(text) > columns && isSentence(text) {
			end := strings.LastIndex(text[:columns+1], " ")
			if end <= 0 {
				break
			}
			wrapped = append(wrapped, line{text: text[:end], after: l.after})
			text, l.after = text[end+1:], 0
		}
		wrapped = append(wrapped, line{text: text, after: l.after})
	}
	for len(wrapped) > 0 && wrapped[len(wrapped)-1].text == "" {
		wrapped = wrapped[:len(wrapped)-1]
	}
	return wrapped
}

// isSentence reports whether a line is what the command says, and no table.
func isSentence(text string) bool {
	return !strings.Contains(text, "  ") && !strings.HasPrefix(text, "$ ") && strings.Contains(text, " ")
}

// draw returns the SVG.
func draw(title string, lines []line) string {
	widest := slices.MaxFunc(lines, func(a, b line) int { return len(a.text) - len(b.text) })
	width := float64(len(widest.text))*charWidth + 2*margin
	height := len(lines)*lineHeight + bar + margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(title))
	b.WriteString(`<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; white-space: pre }
text { animation: appear 1ms both } @keyframes appear { from { visibility: hidden } to { visibility: visible } }
@media (prefers-reduced-motion) { text { animation: none } }
</style>
`)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	for i, color := range []string{"#ff5f56", "#ffbd2e", "#27c93f"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="16" r="6" fill="%s"/>`+"\n", margin+6+20*i, color)
	}
	var at time.Duration
	for i, l := range lines {
		at += min(l.after, longest)
		if l.text == "" {
			continue
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" style="animation-delay:%dms;fill:%s" textLength="%.1f" xml:space="preserve">%s</text>`+"\n",
			margin, bar+(i+1)*lineHeight-6, at.Milliseconds(), fill(l.text), float64(len(l.text))*charWidth, paint(l.text))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// fill is the color of a whole line.
func fill(text string) string {
	switch {
	case strings.HasPrefix(text, "$ "):
		return command
	case isSentence(text) && strings.HasSuffix(text, ":"), isSentence(text) && strings.HasSuffix(text, "."):
		return sentence
	default:
		return plain
	}
}

// paint colors the words of a line.
func paint(text string) string {
	escaped := escape(text)
	for _, w := range words {
		escaped = strings.ReplaceAll(escaped, w.text, `<tspan fill="`+w.color+`">`+w.text+`</tspan>`)
	}
	return escaped
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // A Builder takes everything.
	return b.String()
}
