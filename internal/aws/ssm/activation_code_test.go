package ssm_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// holder has its codes in unexported fields, where fmt cannot call their
// methods.
type holder struct {
	code  ssm.ActivationCode
	codes map[string][]ssm.ActivationCode
}

func TestAnActivationCodePrintsAPlaceholderHoweverItIsPrinted(t *testing.T) {
	const secret = "abcDEF0123456789ghij"
	code := ssm.NewActivationCode(secret)
	inside := holder{code, map[string][]ssm.ActivationCode{"a": {code}}}
	printed := map[string]string{}
	for name, value := range map[string]any{"code": code, "pointer": &code, "inside": inside, "pointer to inside": &inside, "list": []ssm.ActivationCode{code}, "any": []any{code}} {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", "-40", " ", "0", "[2]"} {
				format := "%" + flags + string(verb)
				printed[name+" "+format] = fmt.Sprintf(format, value) // Wrong verbs are what is tried.
			}
		}
		printed[name+" Sprint"], printed[name+" Sprintln"] = fmt.Sprint(value), fmt.Sprintln("x", value)
		none := "none"                                    // An argument too many is what is tried.
		printed[name+" extra"] = fmt.Sprintf(none, value) //nolint:staticcheck // See above.
		printed[name+" error"] = fmt.Errorf("refused: %v", value).Error()
		printed[name+" joined"] = errors.Join(fmt.Errorf("%q", value), fmt.Errorf("%x", value)).Error()
		for kind, marshal := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "XML": xml.Marshal} {
			text, err := marshal(value)
			printed[name+" "+kind] = fmt.Sprint(string(text), err)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", slog.Any("value", value))
		log := funcr.New(func(prefix, args string) { logged.WriteString(prefix + args) }, funcr.Options{})
		log.WithValues("value", value).Info("x", "again", value)
		log.Error(fmt.Errorf("%v", value), "x")
		printed[name+" logged"] = logged.String()
	}
	printed["String"], printed["GoString"] = code.String(), code.GoString()
	// Hexadecimal is the same text to anyone who decodes it.
	for how, text := range printed {
		if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", secret)) {
			t.Errorf("%s gives the code away: %s", how, text)
		}
	}
	if code.Reveal() != secret || (ssm.ActivationCode{}).Reveal() != "" || !code.Equal(ssm.NewActivationCode(secret)) || code.Equal(ssm.ActivationCode{}) {
		t.Error("the code is lost")
	}
}
