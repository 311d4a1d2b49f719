package sessionaccess

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// held is a grant with the principals that it is given to, as the compiler
// knows them.
type held struct {
	grant      policy.Grant
	principals []policy.Principal
}

func heldOf(id string, g *v1alpha1.ResolvedGrant) held {
	return held{grant: grants.Policy(id, g), principals: grants.Principals(g)}
}
