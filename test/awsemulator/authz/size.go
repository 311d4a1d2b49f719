package authz

import "unicode/utf8"

// MinifiedSize is the number of characters that count towards IAM's policy
// size quotas (PolicySizeQuota, UserPolicySizeQuota and the like).
//
// AWS documents no more than that white space is not counted. Whether that
// takes in the spaces inside of JSON strings is not said; they are counted
// here, so that a document that passes here passes there on either reading. A
// character is a code point of the document as sent: an escape such as \u3042
// counts as the six characters it is written with.
func MinifiedSize(raw []byte) int {
	size := 0
	inString, escaped := false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		}
		white := c == ' ' || c == '\t' || c == '\n' || c == '\r'
		if (inString || !white) && utf8.RuneStart(c) {
			size++
		}
	}
	return size
}
