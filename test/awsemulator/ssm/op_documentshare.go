package ssm

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// everybody means all accounts: a public document.
const everybody = "all"

// maxSharesAtOnce is how many accounts one call can add or remove.
const maxSharesAtOnce = 20

var (
	accountPattern = regexp.MustCompile(`^(?i:all|[0-9]{12})$`)
	sharePattern   = service.NewPattern("sharedDocumentVersion", `[$]LATEST|[$]DEFAULT|[$]ALL`, 1, 8)
)

func checkPermissionType(kind types.DocumentPermissionType) error {
	if kind != types.DocumentPermissionTypeShare {
		return invalid("InvalidPermissionType", "The permission type %q is not supported. Share is the only supported permission type.", kind)
	}
	return nil
}

func checkAccounts(member string, ids []string) error {
	if len(ids) > maxSharesAtOnce {
		return service.ValidationError("Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, maxSharesAtOnce)
	}
	for _, id := range ids {
		if !accountPattern.MatchString(id) {
			return service.ValidationError("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: (?i)all|[0-9]{12}", id, member)
		}
	}
	return nil
}

func (r *Region) modifyDocumentPermission(req *service.Request, in *sdk.ModifyDocumentPermissionInput) (*sdk.ModifyDocumentPermissionOutput, error) {
	version, err := checkShare(in)
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyDocumentPermissionOutput{}, r.update(req.Now, func(s *State) error {
		d, err := s.own(req.Now, in.Name)
		if err != nil {
			return err
		}
		shares := maps.Clone(d.Shares)
		if shares == nil {
			shares = map[string]string{}
		}
		for _, id := range in.AccountIdsToAdd {
			shares[strings.ToLower(id)] = version
		}
		for _, id := range in.AccountIdsToRemove {
			delete(shares, strings.ToLower(id))
		}
		if limit := r.Limits().DocumentShares; len(shares) > limit {
			return invalid("DocumentPermissionLimit", "The document cannot be shared with more than %d Amazon Web Services accounts.", limit)
		}
		s.documents = s.documents.With(d.Name, d.with(func(d *Document) { d.Shares = shares }))
		return nil
	})
}

// checkShare checks a change of shares and returns the version that it is
// about.
func checkShare(in *sdk.ModifyDocumentPermissionInput) (string, error) {
	if err := checkPermissionType(in.PermissionType); err != nil {
		return "", err
	}
	if err := checkAccounts("accountIdsToAdd", in.AccountIdsToAdd); err != nil {
		return "", err
	}
	if err := checkAccounts("accountIdsToRemove", in.AccountIdsToRemove); err != nil {
		return "", err
	}
	version := aws.ToString(in.SharedDocumentVersion)
	if version == "" {
		return defaultVersion, nil
	}
	return version, sharePattern.Check(version)
}

func (r *Region) describeDocumentPermission(req *service.Request, in *sdk.DescribeDocumentPermissionInput) (*sdk.DescribeDocumentPermissionOutput, error) {
	if err := checkPermissionType(in.PermissionType); err != nil {
		return nil, err
	}
	d, err := r.at(r.DocumentLag, req.Now).own(req.Now, in.Name)
	if err != nil {
		return nil, err
	}
	shares := ordered.New[types.AccountSharingInfo]()
	for _, id := range slices.Sorted(maps.Keys(d.Shares)) {
		shares = shares.With(id, types.AccountSharingInfo{AccountId: aws.String(id), SharedDocumentVersion: aws.String(d.Shares[id])})
	}
	p, err := paginate(r.Paging, in.NextToken, in.MaxResults, bounds{low: 1, high: 200, byDefault: 200}, shares)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeDocumentPermissionOutput{NextToken: p.next, AccountIds: []string{}, AccountSharingInfoList: p.items}
	for _, share := range p.items {
		out.AccountIds = append(out.AccountIds, *share.AccountId)
	}
	return out, nil
}
