// Package logs is the log groups of one account in one region, as far as
// CloudWatch Logs describes them.
package logs

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Group is a log group. It is immutable: a change replaces it.
type Group struct {
	Name string
	// KeyARN is the key's that encrypts it, empty without one.
	KeyARN        string
	RetentionDays int32
	Created       time.Time
}

// Region is the log groups of one account in one region. It is safe for
// concurrent use.
type Region struct {
	service.Scope
	paging *service.Paging
	now    func() time.Time

	mu     sync.RWMutex
	groups ordered.Map[*Group]
}

// NewRegion returns a region without log groups.
func NewRegion(scope service.Scope, now func() time.Time, paging *service.Paging) *Region {
	return &Region{Scope: scope, now: now, paging: paging, groups: ordered.New[*Group]()}
}

// Load puts the log groups of a fixture into the region.
func (r *Region) Load(groups []fixtures.LogGroup) {
	for _, f := range groups {
		g := &Group{Name: f.Name, KeyARN: f.Key, RetentionDays: f.RetentionDays, Created: r.now()}
		if f.Key != "" && !strings.HasPrefix(f.Key, "arn:") {
			g.KeyARN = r.ARN("kms", "key/"+f.Key)
		}
		r.Put(g)
	}
}

// Group finds a log group by its name.
func (r *Region) Group(name string) (*Group, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.groups.Get(name)
}

// Put adds a log group or replaces it.
func (r *Region) Put(g *Group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.groups = r.groups.With(g.Name, g)
}

// Remove takes a log group away.
func (r *Region) Remove(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.groups.Get(name); !ok {
		return fmt.Errorf("there is no log group %s", name)
	}
	r.groups = r.groups.Without(name)
	return nil
}

// Service returns CloudWatch Logs; of finds the region that a request is
// about.
func Service(of func(*service.Request) *Region) *service.Service {
	return &service.Service{Name: "logs", TargetPrefix: "Logs_20140328", Operations: service.Collect([]service.Operation{
		service.Define(of, "DescribeLogGroups", service.Read, func(r *Region, _ *service.Request, _ *sdk.DescribeLogGroupsInput) []service.Check {
			// The form in which CloudWatch Logs names what is asked for in its denials.
			return []service.Check{{Action: "logs:DescribeLogGroups", Resource: r.ARN("logs", "log-group::log-stream:")}}
		}, (*Region).describeLogGroups),
	})}
}

const tokenPrefix = "after:"

func (r *Region) describeLogGroups(_ *service.Request, in *sdk.DescribeLogGroupsInput) (*sdk.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	limit := aws.ToInt32(in.Limit)
	if in.Limit == nil {
		limit = 50
	}
	if limit < 1 || limit > 50 {
		return nil, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 50", limit)
	}
	last, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	r.mu.RLock()
	groups := r.groups
	r.mu.RUnlock()
	size := r.paging.Size(int(limit))
	out := &sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	for name, g := range groups.After(last) {
		if !strings.HasPrefix(name, aws.ToString(in.LogGroupNamePrefix)) || !containsFold(name, aws.ToString(in.LogGroupNamePattern)) {
			continue
		}
		if len(out.LogGroups) == size {
			out.NextToken = aws.String(base64.URLEncoding.EncodeToString([]byte(tokenPrefix + last)))
			break
		}
		out.LogGroups = append(out.LogGroups, r.describe(g))
		last = name
	}
	return out, nil
}

// containsFold: a pattern is a part of the name, whatever the case.
func containsFold(name, part string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(part))
}

func (r *Region) describe(g *Group) types.LogGroup {
	out := types.LogGroup{
		LogGroupName: aws.String(g.Name), LogGroupArn: aws.String(r.ARN("logs", "log-group:"+g.Name)), Arn: aws.String(r.ARN("logs", "log-group:"+g.Name+":*")),
		CreationTime: aws.Int64(g.Created.UnixMilli()), StoredBytes: aws.Int64(0), MetricFilterCount: aws.Int32(0), LogGroupClass: types.LogGroupClassStandard,
	}
	if g.KeyARN != "" {
		out.KmsKeyId = aws.String(g.KeyARN)
	}
	if g.RetentionDays > 0 {
		out.RetentionInDays = aws.Int32(g.RetentionDays)
	}
	return out
}

func readToken(token *string) (string, error) {
	if aws.ToString(token) == "" {
		return "", nil
	}
	raw, err := base64.URLEncoding.DecodeString(*token)
	rest, ok := strings.CutPrefix(string(raw), tokenPrefix)
	if err != nil || !ok {
		return "", invalid("The specified nextToken is invalid.")
	}
	return rest, nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameterException", format, args...)
}
