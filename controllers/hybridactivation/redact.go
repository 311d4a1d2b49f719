package hybridactivation

import (
	"encoding/base64"
	"errors"
	"strings"
)

// redact takes a code out of an error: whatever refuses a Secret, such as a
// webhook of somebody's, may repeat what it was sent. An error that holds the
// code is replaced by its text, so that nobody finds it further inside.
func redact(err error, code string) error {
	if err == nil || code == "" {
		return err
	}
	text := err.Error()
	for _, form := range []string{code, base64.StdEncoding.EncodeToString([]byte(code))} {
		text = strings.ReplaceAll(text, form, "[activation code]")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
