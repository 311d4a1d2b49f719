package ec2

import (
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

var instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)

// stateCodes are the numbers of EC2's instance states.
var stateCodes = map[string]int32{"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}

func (r *Region) describeInstances(_ *service.Request, in *sdk.DescribeInstancesInput) (*sdk.DescribeInstancesOutput, error) {
	if len(in.InstanceIds) > 0 && in.MaxResults != nil {
		return nil, wire.Errorf(400, "InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	if in.MaxResults != nil && (*in.MaxResults < 5 || *in.MaxResults > 1000) {
		return nil, wire.Errorf(400, "InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", *in.MaxResults)
	}
	if err := r.checkInstanceIDs(in.InstanceIds); err != nil {
		return nil, err
	}
	holds, err := matcher(in.Filters, instanceValues)
	if err != nil {
		return nil, err
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	size := r.Paging.Size(int(aws.ToInt32(in.MaxResults)))
	out, last := &sdk.DescribeInstancesOutput{Reservations: []types.Reservation{}}, after
	for id, n := range r.Fleet.Nodes().After(after) {
		if n.Managed || !holds(n) || (len(in.InstanceIds) > 0 && !slices.Contains(in.InstanceIds, id)) {
			continue
		}
		if in.MaxResults != nil && len(out.Reservations) == size {
			out.NextToken = writeToken(last)
			break
		}
		out.Reservations = append(out.Reservations, r.reservation(n))
		last = id
	}
	return out, nil
}

func (r *Region) checkInstanceIDs(ids []string) error {
	var missing []string
	for _, id := range ids {
		if !instanceID.MatchString(id) {
			return wire.Errorf(400, "InvalidInstanceID.Malformed", "Invalid id: \"%s\"", id)
		}
		if _, ok := r.Fleet.Node(id); !ok {
			missing = append(missing, id)
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return wire.Errorf(400, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", missing[0])
	default:
		return wire.Errorf(400, "InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(missing, ", "))
	}
}

// instanceValues is what a filter looks at in an instance, which may be nil to
// ask whether there is such a filter.
func instanceValues(name string, n *fleet.Node) ([]string, bool) {
	if n == nil {
		n = &fleet.Node{}
	}
	if tag, ok := strings.CutPrefix(name, "tag:"); ok {
		if v, ok := n.Tags[tag]; ok {
			return []string{v}, true
		}
		return nil, true
	}
	if values, ok := instanceNetworkValues(name, n); ok {
		return values, true
	}
	switch name {
	case "instance-id":
		return []string{n.ID}, true
	case "instance-state-name":
		return []string{n.State}, true
	case "instance-type":
		return []string{n.Type}, true
	case "metadata-options.http-tokens":
		return []string{n.Metadata.Tokens}, true
	case "metadata-options.http-endpoint":
		return []string{n.Metadata.Endpoint}, true
	case "tag-key":
		return slices.Collect(maps.Keys(n.Tags)), true
	}
	return nil, false
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// tokenPrefix begins every token. Tokens are opaque to clients.
const tokenPrefix = "after:"

func writeToken(last string) *string {
	return aws.String(base64.URLEncoding.EncodeToString([]byte(tokenPrefix + last)))
}

func readToken(token *string) (string, error) {
	if aws.ToString(token) == "" {
		return "", nil
	}
	raw, err := base64.URLEncoding.DecodeString(*token)
	rest, ok := strings.CutPrefix(string(raw), tokenPrefix)
	if err != nil || !ok {
		return "", wire.Errorf(400, "InvalidParameterValue", "Unable to parse pagination token")
	}
	return rest, nil
}
