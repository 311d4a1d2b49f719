package hybridactivation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

func TestRedactTakesTheCodeOutOfAnError(t *testing.T) {
	const code = "code of twenty chars"
	inner := errors.New("refused: " + code)
	for _, err := range []error{
		inner, fmt.Errorf("store: %w", inner), errors.New("data: " + base64.StdEncoding.EncodeToString([]byte(code))),
	} {
		got := redact(err, ssm.NewActivationCode(code))
		if strings.Contains(got.Error(), code) || strings.Contains(got.Error(), base64.StdEncoding.EncodeToString([]byte(code))) || errors.Is(got, inner) {
			t.Errorf("%v is left", got)
		}
	}
	harmless := errors.New("refused")
	if got := redact(harmless, ssm.NewActivationCode(code)); !errors.Is(got, harmless) {
		t.Errorf("a harmless error became %v", got)
	}
	if redact(nil, ssm.NewActivationCode(code)) != nil {
		t.Error("no error became one")
	}
}

func TestRedactTakesTheCodeOutOfTheScriptsToo(t *testing.T) {
	const code = "abcDEF0123456789ghij"
	r := registration{ID: "aa107efd-aff9-d431-01e5-8ed880075db6", Code: ssm.NewActivationCode(code), Region: "ap-northeast-1"}
	for padding := range 3 {
		r.Region = strings.Repeat("x", padding) + "ap-northeast-1"
		body, err := json.Marshal(render(r))
		if err != nil {
			t.Fatal(err)
		}
		text := redact(errors.New(string(body)), r.Code).Error()
		for key, value := range render(r) {
			if whole := base64.StdEncoding.EncodeToString(value); bytes.Contains(value, []byte(code)) && strings.Contains(text, whole) {
				t.Errorf("%s is told whole", key)
			}
		}
		for part := range strings.SplitSeq(text, "[activation code]") {
			if decoded := mostOf(part); strings.Contains(decoded, code) {
				t.Error("the code is left")
			}
		}
	}
}

// mostOf decodes what can be of every string in a text, wherever it begins.
func mostOf(text string) string {
	var all strings.Builder
	for _, field := range strings.FieldsFunc(text, func(c rune) bool { return c == '"' || c == ':' || c == ',' }) {
		for from := range min(4, len(field)) {
			piece := field[from:]
			decoded, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(piece[:len(piece)/4*4], "=")) // As far as it goes.
			all.Write(decoded)
		}
	}
	return all.String()
}
