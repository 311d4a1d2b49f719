package awserr

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"github.com/aws/smithy-go"
)

// maxWords bounds the text of AWS in a message, in characters.
const maxWords = 300

// perRequest is what AWS's text says about the one request: ids, the encoded message of
// EC2, and the parenthesis in which older services repeat all of that.
var perRequest = regexp.MustCompile(`(?i)\s*(\(service: [^)]*\)|[(;,]?\s*\b(x-amzn-|extended )?request[ _-]?id:?\s*[0-9a-z/+=-]+\)?|encoded authorization failure message: \S+)`)

// Words is what AWS says about a failed call, in one line without its full stop: bounded,
// and the same for each attempt. "" where AWS says nothing.
func Words(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	text := perRequest.ReplaceAllString(strings.ToValidUTF8(api.ErrorMessage(), ""), "")
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if runes := []rune(text); len(runes) > maxWords {
		text = string(runes[:maxWords-1]) + "…"
	}
	return strings.TrimRight(text, ". ")
}
