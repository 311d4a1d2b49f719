package ssm

import (
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/wire"
)

func invalid(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func targetNotConnected(target string) error {
	return invalid("TargetNotConnected", "%s is not connected.", target)
}

func invalidDocument(name string) error {
	return invalid("InvalidDocument", "Document with name %s does not exist.", name)
}

func doesNotExist(session string) error {
	return invalid("DoesNotExistException", "Session with id %s does not exist.", session)
}
