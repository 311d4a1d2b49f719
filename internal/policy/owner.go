package policy

import (
	"regexp"
	"strings"
)

// Owner is who a session belongs to.
type Owner struct {
	Account   Account
	Principal Principal
}

var (
	userForm      = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):iam::([0-9]{12}):user/(?:[\x21-\x7e]*/)?([A-Za-z0-9_+=,.@-]+)$`)
	assumedForm   = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):sts::([0-9]{12}):assumed-role/([A-Za-z0-9_+=,.@-]+)/[A-Za-z0-9_+=,.@-]+$`)
	federatedForm = regexp.MustCompile(`^arn:(aws(?:-[a-z]+)*):sts::([0-9]{12}):federated-user/[A-Za-z0-9_+=,.@-]+$`)
	// reservedForm is the role that Identity Center makes of a permission set.
	reservedForm = regexp.MustCompile(`^AWSReservedSSO_(.+)_[0-9a-f]{16}$`)
)

// OwnerOf reads the owner's ARN of a session, as DescribeSessions gives it: an
// IAM user, or the role of an assumed role, which for a role of Identity Center
// is the permission set. False for anything else, such as root.
func OwnerOf(arn string) (Owner, bool) {
	if m := userForm.FindStringSubmatch(arn); m != nil {
		return Owner{Account{ID: m[2], Partition: m[1]}, Principal{User, m[3]}}, true
	}
	m := assumedForm.FindStringSubmatch(arn)
	if m == nil {
		return Owner{}, false
	}
	p := Principal{Role, m[3]}
	if set := reservedForm.FindStringSubmatch(m[3]); set != nil {
		p = Principal{PermissionSet, set[1]}
	}
	return Owner{Account{ID: m[2], Partition: m[1]}, p}, true
}

// FederatedIn reports whether a session belongs to a token of GetFederationToken,
// and returns the token's account. The token has permissions of some IAM user of
// the account. The caller chooses the token's name, which does not identify the
// user.
func FederatedIn(arn string) (Account, bool) {
	m := federatedForm.FindStringSubmatch(arn)
	if m == nil {
		return Account{}, false
	}
	return Account{ID: m[2], Partition: m[1]}, true
}

// SessionPrefixOverlaps lists the users, sorted, whose sessions the user name may also
// resume and terminate with scope Username: those named "<name>-…", because the
// ids of their sessions begin like those of the user's own. Case is ignored, as
// IAM does when it compares names.
func SessionPrefixOverlaps(name string, users []string) []string {
	prefix := strings.ToLower(name) + "-"
	var found []string
	for _, u := range users {
		if strings.HasPrefix(strings.ToLower(u), prefix) {
			found = append(found, u)
		}
	}
	return sortedIDs(found)
}
