package policy

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

// heldShard is what IAM holds as one shard, seen against what is wanted.
type heldShard struct {
	document string
	// atoms are the wanted atoms that it grants, ascending and unique.
	atoms []int
	// foreign means that it also holds something else: what is no longer wanted,
	// or what someone else wrote.
	foreign bool
	// canonical is the document as the operator would write the same statements
	// in the same order, so that white space and JSON escapes do not count as a
	// difference. Empty when the document is not in the operator's form.
	canonical string
}

// parseHeld reads the document that IAM holds against the wanted atoms. It
// cannot fail: what is not understood is foreign.
func parseHeld(want *atoms, document string) heldShard {
	h := heldShard{document: document}
	if document == "" {
		return h
	}
	if scanned, ok := scanHeld(want, document); ok {
		return scanned
	}
	return readHeld(want, document)
}

// readHeld is parseHeld for documents in whatever spelling.
func readHeld(want *atoms, document string) heldShard {
	h := heldShard{document: document}
	statements, err := parseDocument(document)
	if err != nil {
		h.foreign = true
		return h
	}
	canonical := append(make([]byte, 0, len(document)), documentHead...)
	ours := true
	var number [statementKinds]int
	for i, raw := range statements {
		s, ok := parseStatement(raw)
		if !ok {
			ours, h.foreign = false, true
			continue
		}
		if i > 0 {
			canonical = append(canonical, ',')
		}
		number[s.kind]++
		ours = ours && s.sid == sid(s.kind, number[s.kind])
		canonical = appendStatement(canonical, s.kind, number[s.kind], s.condition, s.elements)
		h.claim(want, s)
	}
	slices.Sort(h.atoms)
	h.atoms = slices.Compact(h.atoms)
	if ours {
		h.canonical = string(append(canonical, documentTail...))
	}
	return h
}

// claim notes what the statement grants of the wanted atoms.
func (h *heldShard) claim(want *atoms, s heldStatement) {
	for _, e := range s.elements {
		if atom := want.find(s.kind, s.condition, e); atom >= 0 {
			h.atoms = append(h.atoms, atom)
		} else {
			h.foreign = true
		}
	}
}

// parseDocument returns the statements of a policy document of the operator's
// version.
func parseDocument(document string) ([]any, error) {
	root, err := strictjson.Decode(document)
	if err != nil {
		return nil, err
	}
	doc, ok := root.(object)
	if !ok || len(doc) != 2 || doc["Version"] != "2012-10-17" {
		return nil, errForeign
	}
	list, ok := doc["Statement"].([]any)
	if !ok {
		return nil, errForeign
	}
	return list, nil
}

// heldStatement is a statement in the operator's form, as found in IAM.
type heldStatement struct {
	sid       string
	kind      statementKind
	condition string
	elements  []element
}

// parseStatement recognises a statement of the forms that the operator writes,
// whatever its Sid.
func parseStatement(raw any) (heldStatement, bool) {
	s, ok := raw.(object)
	if !ok || s["Effect"] != "Allow" {
		return heldStatement{}, false
	}
	var h heldStatement
	members := len(s) - 3 // Effect, Action, Resource
	if sid, has := s["Sid"]; has {
		h.sid, _ = sid.(string)
		members--
	}
	if condition, has := s["Condition"]; has {
		if h.condition, ok = parseCondition(condition); !ok {
			return heldStatement{}, false
		}
		members--
	}
	if members != 0 {
		return heldStatement{}, false
	}
	actions, resources := texts(s["Action"]), texts(s["Resource"])
	if slices.Equal(resources, fixedTexts[discover]) {
		h.elements, ok = splitElements(actions)
		return h, ok
	}
	kind := slices.IndexFunc(fixedTexts[:], func(fixed []string) bool { return slices.Equal(actions, fixed) })
	if kind <= int(discover) {
		return heldStatement{}, false
	}
	h.kind = statementKind(kind)
	h.elements, ok = splitElements(resources)
	return h, ok
}

func splitElements(list []string) ([]element, bool) {
	if len(list) == 0 {
		return nil, false
	}
	elements := make([]element, 0, len(list))
	for _, s := range list {
		if !safeElement(s) {
			return nil, false
		}
		elements = append(elements, splitElement(s))
	}
	return elements, true
}

// fixedTexts are the actions of each kind, or the resource of discover.
var fixedTexts = [statementKinds][]string{
	discover:    {"*"},
	start:       {"ssm:StartSession"},
	ownSessions: {"ssm:ResumeSession", "ssm:TerminateSession"},
	dataChannel: {"ssmmessages:OpenDataChannel"},
	sessionKey:  {"kms:GenerateDataKey"},
}

// safeElement reports whether s is written into JSON as it is.
func safeElement(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// parseCondition brings a Condition element into the form that the operator
// renders.
func parseCondition(raw any) (string, bool) {
	operators, ok := raw.(object)
	if !ok || len(operators) == 0 {
		return "", false
	}
	var tests []test
	for op, raw := range operators {
		keys, ok := raw.(object)
		if !ok || len(keys) == 0 {
			return "", false
		}
		for key, raw := range keys {
			t := test{op, key, texts(raw)}
			if len(t.values) == 0 || !writable(op) || !writable(key) || slices.ContainsFunc(t.values, unwritable) {
				return "", false
			}
			tests = append(tests, t)
		}
	}
	sortTests(tests)
	return string(appendCondition(nil, tests)), true
}

func unwritable(s string) bool { return !writable(s) }

// texts returns one string or a list of them as a list, or nothing for anything else.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return out
	default:
		return nil
	}
}
