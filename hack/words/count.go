package main

import (
	"slices"
	"strings"
	"unicode"
)

// count is what texts of one sort hold.
type count struct {
	name                  string
	words, phrases, terms int
}

// add counts a line, and returns the phrases that it holds.
func (c *count) add(text string, phrases, terms [][]string) (found []string) {
	words := wordsOf(text)
	c.words += len(words)
	for i := range words {
		for _, p := range phrases {
			if startsWith(words[i:], p) {
				c.phrases++
				found = append(found, strings.Join(p, " "))
			}
		}
		if slices.ContainsFunc(terms, func(t []string) bool { return startsWith(words[i:], t) }) {
			c.terms++
		}
	}
	return found
}

// rate is a number for each 10,000 words.
func (c *count) rate(n int) float64 {
	if c.words == 0 {
		return 0
	}
	return 10_000 * float64(n) / float64(c.words)
}

func startsWith(words, phrase []string) bool {
	return len(words) >= len(phrase) && slices.Equal(words[:len(phrase)], phrase)
}

// wordsOf splits a text into its words in lower case. An apostrophe is part of a word.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\''
	})
}
