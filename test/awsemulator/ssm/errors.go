package ssm

import (
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func invalid(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

func targetNotConnected(target string) error {
	return invalid("TargetNotConnected", "%s is not connected.", target)
}

func invalidDocument(name string) error {
	return invalid("InvalidDocument", "Document with name %s does not exist.", name)
}

func noVersion(document, version string) error {
	return invalid("InvalidDocumentVersion", "Document version %s of %s does not exist.", version, document)
}

func invalidOperation(format string, args ...any) error {
	return invalid("InvalidDocumentOperation", format, args...)
}

func doesNotExist(session string) error {
	return invalid("DoesNotExistException", "Session with id %s does not exist.", session)
}

// InvalidInstance refuses a node that is not there, or no longer.
func InvalidInstance(id string) error {
	return invalid("InvalidInstanceId", "Not existing InstanceId %s", id)
}

// InvalidActivation refuses an activation that is not there, or whose code is
// another.
func InvalidActivation() error {
	return invalid("InvalidActivation", "The activation is not valid. It might have been deleted, or the ActivationId and the ActivationCode do not match.")
}
