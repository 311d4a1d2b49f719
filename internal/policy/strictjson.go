package policy

import (
	"errors"

	"github.com/ssm-access-operator/ssm-access-operator/internal/strictjson"
)

// object is a JSON object whose members are known to be unique.
type object = strictjson.Object

var errForeign = errors.New("not a policy document of this operator")
