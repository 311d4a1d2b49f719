package stack

import (
	"encoding/json"
	"fmt"
)

// withoutStatements returns a policy document less the statements that take
// names, and those.
func withoutStatements(text string, take func(map[string]json.RawMessage) bool) (string, []json.RawMessage, error) {
	var left, taken []json.RawMessage
	rest, err := editStatements(text, func(statements []json.RawMessage) ([]json.RawMessage, error) {
		for _, raw := range statements {
			var s map[string]json.RawMessage
			if err := json.Unmarshal(raw, &s); err != nil {
				return nil, err
			}
			if take(s) {
				taken = append(taken, raw)
			} else {
				left = append(left, raw)
			}
		}
		return left, nil
	})
	return rest, taken, err
}

// withStatements returns a policy document with further statements.
func withStatements(text string, more []json.RawMessage) (string, error) {
	return editStatements(text, func(statements []json.RawMessage) ([]json.RawMessage, error) { return append(statements, more...), nil })
}

func editStatements(text string, edit func([]json.RawMessage) ([]json.RawMessage, error)) (string, error) {
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return "", fmt.Errorf("read a policy document: %w", err)
	}
	var statements []json.RawMessage
	if err := json.Unmarshal(document["Statement"], &statements); err != nil {
		return "", fmt.Errorf("read the statements of a policy document: %w", err)
	}
	statements, err := edit(statements)
	if err != nil {
		return "", fmt.Errorf("read a statement of a policy document: %w", err)
	}
	if document["Statement"], err = json.Marshal(statements); err != nil {
		return "", err
	}
	out, err := json.Marshal(document)
	return string(out), err
}
