package hybridactivation

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// redact removes a code from an error: whatever refuses a Secret, such as a webhook,
// may repeat what it was sent. An error that holds the code is replaced by its text,
// so that no wrapped error exposes it.
func redact(err error, hidden cloud.ActivationCode) error {
	code := hidden.Reveal()
	if err == nil || code == "" {
		return err
	}
	text := err.Error()
	for _, form := range append([]string{code}, encoded(code)...) {
		text = strings.ReplaceAll(text, form, "[activation code]")
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// encoded are the forms that a code has inside of what is encoded in base64, such
// as the scripts: one for each place in a group of three bytes at which it may
// begin. Characters at the edges that hold bits of its neighbours are left out.
func encoded(code string) []string {
	var forms []string
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), code...))
		begin, end := (8*shift+5)/6, 8*(shift+len(code))/6
		if begin < end {
			forms = append(forms, text[begin:end])
		}
	}
	return forms
}
