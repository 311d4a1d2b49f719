package iam

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// LookUpPrincipal reads one principal and writes the answer into the cache.
// That there is none is an answer, not an error. One call.
func (a *Account) LookUpPrincipal(ctx context.Context, p Principal) (PrincipalView, error) {
	client, err := a.client(ctx)
	if err != nil {
		return PrincipalView{}, err
	}
	begun := a.cache.now()
	found, err := getPrincipal(ctx, client, p)
	if err != nil && awserr.Code(err) != awserr.CodeNoSuchEntity {
		return PrincipalView{}, a.Explain(err, "looking up %s", p)
	}
	if found != nil {
		found.read = begun
	}
	a.cache.foundPrincipal(p, found)
	a.cache.lookedUp(p, found != nil, begun)
	view := a.cache.Principal(p)
	if found == nil {
		view.Presence = Absent // also where the cache is not filled yet
	}
	return view, nil
}

func getPrincipal(ctx context.Context, client *iam.Client, p Principal) (*principal, error) {
	switch p.Kind {
	case Group:
		// A group comes with its members: one is enough.
		out, err := client.GetGroup(ctx, &iam.GetGroupInput{GroupName: &p.Name, MaxItems: aws.Int32(1)})
		if err != nil {
			return nil, err
		}
		return &principal{
			id: aws.ToString(out.Group.GroupId), name: aws.ToString(out.Group.GroupName), path: aws.ToString(out.Group.Path),
		}, nil
	case Role:
		out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &p.Name})
		if err != nil {
			return nil, err
		}
		return &principal{
			id: aws.ToString(out.Role.RoleId), name: aws.ToString(out.Role.RoleName), path: aws.ToString(out.Role.Path),
			boundary: boundaryARN(out.Role.PermissionsBoundary),
		}, nil
	default:
		out, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &p.Name})
		if err != nil {
			return nil, err
		}
		return &principal{
			id: aws.ToString(out.User.UserId), name: aws.ToString(out.User.UserName), path: aws.ToString(out.User.Path),
			boundary: boundaryARN(out.User.PermissionsBoundary),
		}, nil
	}
}

func boundaryARN(boundary *types.AttachedPermissionsBoundary) string {
	if boundary == nil {
		return ""
	}
	return aws.ToString(boundary.PermissionsBoundaryArn)
}

// LookUpPolicy reads one of the operator's policies and writes the answer into
// the cache. That the policy does not exist is an answer, not an error. A
// SettlingError means that IAM's answers did not fit together. One call when
// the policy does not exist, else four or more.
func (a *Account) LookUpPolicy(ctx context.Context, name string) (PolicyView, error) {
	if !a.ownership.ownsName(name) {
		return PolicyView{}, &NotOwnedError{Name: name}
	}
	client, err := a.client(ctx)
	if err != nil {
		return PolicyView{}, err
	}
	if err := a.readPolicy(ctx, client, name); err != nil {
		return PolicyView{}, a.Explain(err, "looking up policy %q", name)
	}
	return a.cache.Policy(name), nil
}

func (a *Account) readPolicy(ctx context.Context, client *iam.Client, name string) error {
	r := reading{begun: a.cache.now(), point: true}
	arn := aws.String(a.cache.ARN(name))
	found, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		a.cache.read(name, nil, r)
		return nil
	}
	if err != nil {
		return err
	}
	seen := &observed{
		name: aws.ToString(found.Policy.PolicyName), listed: true,
		defaultVersion: aws.ToString(found.Policy.DefaultVersionId),
	}
	err = readParts(ctx, client, arn, seen)
	if awserr.Code(err) == awserr.CodeNoSuchEntity {
		// The policy was deleted meanwhile, or one of the two reads was stale:
		// either way this is no answer.
		return &SettlingError{Name: name}
	}
	if err != nil {
		return err
	}
	a.cache.read(name, seen, r)
	return nil
}

// readParts reads what there is about a policy that exists.
func readParts(ctx context.Context, client *iam.Client, arn *string, into *observed) (err error) {
	if into.versions, _, err = listVersions(ctx, client, arn); err != nil {
		return err
	}
	version, err := client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{
		PolicyArn: arn, VersionId: &into.defaultVersion,
	})
	if err != nil {
		return err
	}
	into.document = decodeDocument(aws.ToString(version.PolicyVersion.Document))
	into.attached, err = listAttached(ctx, client, arn)
	return err
}

// listVersions returns the ids of a policy's versions, oldest first, and that of
// the default.
func listVersions(ctx context.Context, client *iam.Client, arn *string) (versions []string, current string, err error) {
	versions = []string{}
	pages := iam.NewListPolicyVersionsPaginator(client, &iam.ListPolicyVersionsInput{PolicyArn: arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", err
		}
		for _, version := range page.Versions {
			versions = append(versions, aws.ToString(version.VersionId))
			if version.IsDefaultVersion {
				current = aws.ToString(version.VersionId)
			}
		}
	}
	slices.SortFunc(versions, compareVersions)
	return versions, current, nil
}

// listAttached returns the principals a policy is attached to; whose permissions
// boundary it is does not count.
func listAttached(ctx context.Context, client *iam.Client, arn *string) ([]Principal, error) {
	var attached []Principal
	pages := iam.NewListEntitiesForPolicyPaginator(client, &iam.ListEntitiesForPolicyInput{
		PolicyArn: arn, PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy, MaxItems: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, user := range page.PolicyUsers {
			attached = append(attached, Principal{Kind: User, Name: aws.ToString(user.UserName)})
		}
		for _, group := range page.PolicyGroups {
			attached = append(attached, Principal{Kind: Group, Name: aws.ToString(group.GroupName)})
		}
		for _, role := range page.PolicyRoles {
			attached = append(attached, Principal{Kind: Role, Name: aws.ToString(role.RoleName)})
		}
	}
	return attached, nil
}

// AbsentAsOf returns when the newest read began that shows that a principal does
// not exist: a Refresh, or a lookup of it alone. known is false if the principal
// exists, or if nothing was read yet. IAM is eventually consistent: a read can
// miss a principal that was created some seconds before.
func (c *Cache) AbsentAsOf(p Principal) (began time.Time, known bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key := p.Key()
	at := max(c.readAt, c.absences[key])
	if at == never || c.principals[key] != nil {
		return time.Time{}, false
	}
	return c.timeOf(at), true
}

// lookedUp notes what a point read of a principal found that began at a time.
func (c *Cache) lookedUp(p Principal, found bool, begun monotonicTime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found {
		delete(c.absences, p.Key())
		return
	}
	c.absences[p.Key()] = begun
}

// forgetAbsences drops the absences that a bulk read, begun at a given time,
// shows by itself. The caller holds mu.
func (c *Cache) forgetAbsences(begun monotonicTime) {
	maps.DeleteFunc(c.absences, func(_ string, at monotonicTime) bool { return at <= begun })
}
