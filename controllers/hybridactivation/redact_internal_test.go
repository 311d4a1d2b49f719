package hybridactivation

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRedactTakesTheCodeOutOfAnError(t *testing.T) {
	const code = "code of twenty chars"
	inner := errors.New("refused: " + code)
	for _, err := range []error{
		inner, fmt.Errorf("store: %w", inner), errors.New("data: " + base64.StdEncoding.EncodeToString([]byte(code))),
	} {
		got := redact(err, code)
		if strings.Contains(got.Error(), code) || strings.Contains(got.Error(), base64.StdEncoding.EncodeToString([]byte(code))) || errors.Is(got, inner) {
			t.Errorf("%v is left", got)
		}
	}
	harmless := errors.New("refused")
	if got := redact(harmless, code); !errors.Is(got, harmless) {
		t.Errorf("a harmless error became %v", got)
	}
	if redact(nil, code) != nil {
		t.Error("no error became one")
	}
}
