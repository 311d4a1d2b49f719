package check_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// erasures each hide one fact, but for the connection: a node is called
// connected by its agent's reports where AWS was not asked.
var erasures = map[string]func(*check.Facts){
	"agent":    func(f *check.Facts) { f.Node.Agent = check.Denied[check.Agent]("ssm:DescribeInstanceInformation") },
	"instance": func(f *check.Facts) { f.Instance = check.Denied[check.Instance]("ec2:DescribeInstances") },
	"role":     func(f *check.Facts) { f.Role = check.Denied[check.Role]("iam:GetInstanceProfile") },
	"default":  func(f *check.Facts) { f.DefaultRole = check.Denied[check.Role]("ssm:GetServiceSetting") },
	"network":  func(f *check.Facts) { f.Network = nil },
	"logging":  func(f *check.Facts) { f.Logging = nil },
	"tier":     func(f *check.Facts) { f.Tier = check.Denied[check.Tier]("ssm:GetServiceSetting") },
	"content":  func(f *check.Facts) { f.Documents[1].Content = check.Denied[check.Content]("ssm:GetDocument") },
	"support":  onNetwork(func(n *check.Network) { n.DNSSupport = check.Denied[bool]("ec2:DescribeVpcAttribute") }),
	"names":    onNetwork(func(n *check.Network) { n.DNSHostnames = check.Denied[bool]("ec2:DescribeVpcAttribute") }),
	"subnets": onNetwork(func(n *check.Network) {
		n.Subnets = check.Denied[map[string]check.Subnet]("ec2:DescribeSubnets")
	}),
	"routes": onNetwork(func(n *check.Network) { n.RouteTables = check.Denied[[]check.RouteTable]("ec2:DescribeRouteTables") }),
	"acls":   onNetwork(func(n *check.Network) { n.ACLs = check.Denied[[]check.NetworkACL]("ec2:DescribeNetworkAcls") }),
	"rules": onNetwork(func(n *check.Network) {
		n.Rules = check.Denied[map[string][]check.Rule]("ec2:DescribeSecurityGroupRules")
	}),
	"endpoints": onNetwork(func(n *check.Network) { n.Endpoints = check.Denied[[]check.Endpoint]("ec2:DescribeVpcEndpoints") }),
	"one group": onNetwork(func(n *check.Network) {
		if groups, known := n.Rules.Get(); known {
			delete(groups, "sg-node")
		}
	}),
	"trust":   onRole(func(r *check.Role) { r.Trust = check.Denied[string]("iam:GetInstanceProfile") }),
	"allowed": onRole(func(r *check.Role) { r.Allowed = nil }),
	"policy":  onKey(key, func(k *check.Key) { k.Policy = check.Denied[string]("kms:GetKeyPolicy") }),
}

// drawChanges are some findings' changes, made on any kind of node.
func drawChanges(t *rapid.T) []func(*check.Facts) {
	every := slices.Concat(findings, sessionFindings)
	var changes []func(*check.Facts)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		changes = append(changes, rapid.SampledFrom(every).Draw(t, "finding").change)
	}
	return changes
}

func TestWhatIsNotKnownNeverPasses(t *testing.T) {
	names := make([]string, 0, len(erasures))
	for name := range erasures {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		changes := drawChanges(t)
		build := stack
		if rapid.Bool().Draw(t, "hybrid") {
			build = hybrid
			changes = slices.DeleteFunc(changes, func(func(*check.Facts)) bool { return true })
		}
		full := check.Judge(changed(build(), changes...))
		less := changed(build(), changes...)
		hidden := rapid.SliceOfN(rapid.SampledFrom(names), 1, 4).Draw(t, "hidden")
		slices.SortFunc(hidden, func(a, b string) int {
			// Whole networks and roles last: the others look into them.
			return strings.Compare(b, a)
		})
		for _, name := range hidden {
			if slices.Contains([]string{"trust", "allowed"}, name) && slices.Contains(hidden, "role") || name == "policy" && slices.Contains(hidden, "logging") {
				continue
			}
			erasures[name](less)
		}
		for i, c := range check.Judge(less) {
			if c.Result == check.Pass && full[i].Result != check.Pass {
				t.Errorf("%s passes without %v, and with it is %+v", c.Name, hidden, full[i])
			}
			if c.Result == check.Fail && full[i].Result == check.Pass {
				t.Errorf("without %v: %+v", hidden, c)
			}
		}
	})
}

// shuffled facts are the same with every list in another order.
func shuffle(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Slice:
		r.Shuffle(v.Len(), reflect.Swapper(v.Interface()))
		for i := range v.Len() {
			shuffle(v.Index(i), r)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanInterface() {
				shuffle(field, r)
			}
		}
	default:
	}
}

func known[T any](k check.Known[T], r *rand.Rand) {
	if v, ok := k.Get(); ok {
		shuffle(reflect.ValueOf(v), r)
	}
}

func TestTheOrderOfListsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := drawChanges(t)
		want := check.Judge(changed(stack(), changes...))
		f := changed(stack(), changes...)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		known(f.Instance, r)
		known(f.Network.RouteTables, r)
		known(f.Network.ACLs, r)
		known(f.Network.Endpoints, r)
		if rules, ok := f.Network.Rules.Get(); ok {
			for _, list := range rules {
				shuffle(reflect.ValueOf(list), r)
			}
		}
		shuffle(reflect.ValueOf(f.Documents), r)
		if got := check.Judge(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestJudgingChangesNoFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := drawChanges(t)
		f, same := changed(stack(), changes...), changed(stack(), changes...)
		first := check.Judge(f)
		if !reflect.DeepEqual(f, same) || !reflect.DeepEqual(first, check.Judge(f)) {
			t.Fatal("facts were changed, or judged differently the second time")
		}
	})
}
