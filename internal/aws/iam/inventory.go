package iam

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// inventory gathers the pages of one bulk read.
type inventory struct {
	ownership Ownership
	// policyARNs is the prefix of the ARNs of the account's own policies.
	policyARNs string
	begun      monotonicTime

	principals  map[string]*principal
	policies    map[string]*observed
	members     map[string][]string
	misplaced   map[string]string
	allPolicies int
	counts      map[PrincipalKind]int

	// shared holds one copy of every string that many principals repeat.
	shared map[string]string
}

func newInventory(ownership Ownership, policyARNs string, begun monotonicTime) *inventory {
	return &inventory{
		ownership:  ownership,
		policyARNs: policyARNs,
		begun:      begun,
		principals: map[string]*principal{},
		policies:   map[string]*observed{},
		members:    map[string][]string{},
		misplaced:  map[string]string{},
		counts:     map[PrincipalKind]int{},
		shared:     map[string]string{},
	}
}

// add takes in one page.
func (inv *inventory) add(page *iam.GetAccountAuthorizationDetailsOutput) {
	for i := range page.UserDetailList {
		inv.addUser(&page.UserDetailList[i])
	}
	for i := range page.GroupDetailList {
		d := &page.GroupDetailList[i]
		inv.addPrincipal(Group, aws.ToString(d.GroupName), aws.ToString(d.Path), nil, d.AttachedManagedPolicies).id = aws.ToString(d.GroupId)
	}
	for i := range page.RoleDetailList {
		d := &page.RoleDetailList[i]
		inv.addPrincipal(Role, aws.ToString(d.RoleName), aws.ToString(d.Path), d.PermissionsBoundary, d.AttachedManagedPolicies).id = aws.ToString(d.RoleId)
	}
	for i := range page.Policies {
		inv.addPolicy(&page.Policies[i])
	}
}

func (inv *inventory) addUser(d *types.UserDetail) {
	p := inv.addPrincipal(User, aws.ToString(d.UserName), aws.ToString(d.Path), d.PermissionsBoundary, d.AttachedManagedPolicies)
	p.id = aws.ToString(d.UserId)
	for _, group := range d.GroupList {
		p.groups = append(p.groups, inv.share(group))
		key := inv.share(nameKey(group))
		inv.members[key] = append(inv.members[key], p.name)
	}
	slices.Sort(p.groups)
}

func (inv *inventory) addPrincipal(
	kind PrincipalKind, name, path string, boundary *types.AttachedPermissionsBoundary, attached []types.AttachedPolicy,
) *principal {
	id := Principal{Kind: kind, Name: name}
	p := &principal{name: name, path: inv.share(path), read: inv.begun, complete: true}
	if boundary != nil {
		p.boundary = inv.share(aws.ToString(boundary.PermissionsBoundaryArn))
	}
	inv.principals[id.Key()] = p
	inv.counts[kind]++
	for _, policy := range attached {
		inv.addAttachment(id, p, aws.ToString(policy.PolicyArn))
	}
	return p
}

func (inv *inventory) addAttachment(id Principal, p *principal, policyARN string) {
	path, name, local := inv.split(policyARN)
	if local && inv.ownership.Owns(path, name) {
		policy := inv.policy(name)
		policy.attached = append(policy.attached, id)
		return
	}
	p.foreignAttachments++
	if owner, found := strings.CutPrefix(path, ownedPathRoot); local && found {
		p.foreignOwners = append(p.foreignOwners, ForeignPolicy{
			OwnerID: strings.TrimSuffix(owner, "/"), Name: name, ARN: policyARN,
		})
	}
}

// split takes the ARN of a policy of this account apart.
func (inv *inventory) split(policyARN string) (path, name string, local bool) {
	resource, local := strings.CutPrefix(policyARN, inv.policyARNs)
	if !local {
		return "", "", false
	}
	slash := strings.LastIndexByte(resource, '/') + 1
	return resource[:slash], resource[slash:], true
}

func (inv *inventory) addPolicy(d *types.ManagedPolicyDetail) {
	inv.allPolicies++
	// By its ARN: moto gives no names here.
	path, name, _ := inv.split(aws.ToString(d.Arn))
	if !inv.ownership.Owns(path, name) {
		if inv.ownership.ownsName(name) {
			inv.misplaced[nameKey(name)] = aws.ToString(d.Arn)
		}
		return
	}
	policy := inv.policy(name)
	policy.name, policy.listed = name, true
	policy.defaultVersion = inv.share(aws.ToString(d.DefaultVersionId))
	policy.versions = make([]string, 0, len(d.PolicyVersionList))
	for _, version := range d.PolicyVersionList {
		id := aws.ToString(version.VersionId)
		policy.versions = append(policy.versions, inv.share(id))
		document := decodeDocument(aws.ToString(version.Document))
		if id == policy.defaultVersion {
			policy.document = document
		} else {
			policy.remember(id, inv.share(document))
		}
	}
	slices.SortFunc(policy.versions, compareVersions)
}

func (inv *inventory) policy(name string) *observed {
	key := nameKey(name)
	policy := inv.policies[key]
	if policy == nil {
		policy = &observed{name: name}
		inv.policies[key] = policy
	}
	return policy
}

func (inv *inventory) share(s string) string {
	if known, ok := inv.shared[s]; ok {
		return known
	}
	inv.shared[s] = s
	return s
}

// decodeDocument returns a policy document as it was written. IAM encodes it by
// RFC 3986; some emulators give it as it is.
func decodeDocument(document string) string {
	// An encoded document begins with %7B or encoded white space.
	if strings.HasPrefix(strings.TrimSpace(document), "{") {
		return document
	}
	if decoded, err := url.PathUnescape(document); err == nil {
		return decoded
	}
	return document
}
