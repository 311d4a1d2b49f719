package reach_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

// erasures each hide one fact, but for the connection: a node is called
// connected by its agent's reports where AWS was not asked.
var erasures = map[string]func(*reach.Facts){
	"agent":    func(f *reach.Facts) { f.Node.Agent = reach.Denied[reach.Agent]("ssm:DescribeInstanceInformation") },
	"instance": func(f *reach.Facts) { f.Instance = reach.Denied[reach.Instance]("ec2:DescribeInstances") },
	"role":     func(f *reach.Facts) { f.Role = reach.Denied[reach.Role]("iam:GetInstanceProfile") },
	"default":  func(f *reach.Facts) { f.DefaultRole = reach.Denied[reach.Role]("ssm:GetServiceSetting") },
	"network":  func(f *reach.Facts) { f.Network = nil },
	"logging":  func(f *reach.Facts) { f.Logging = nil },
	"tier":     func(f *reach.Facts) { f.Tier = reach.Denied[reach.Tier]("ssm:GetServiceSetting") },
	"content":  func(f *reach.Facts) { f.Documents[1].Content = reach.Denied[reach.Content]("ssm:GetDocument") },
	"support":  onNetwork(func(n *reach.Network) { n.DNSSupport = reach.Denied[bool]("ec2:DescribeVpcAttribute") }),
	"names":    onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Denied[bool]("ec2:DescribeVpcAttribute") }),
	"subnets": onNetwork(func(n *reach.Network) {
		n.Subnets = reach.Denied[map[string]reach.Subnet]("ec2:DescribeSubnets")
	}),
	"routes": onNetwork(func(n *reach.Network) { n.RouteTables = reach.Denied[[]reach.RouteTable]("ec2:DescribeRouteTables") }),
	"acls":   onNetwork(func(n *reach.Network) { n.ACLs = reach.Denied[[]reach.NetworkACL]("ec2:DescribeNetworkAcls") }),
	"rules": onNetwork(func(n *reach.Network) {
		n.Rules = reach.Denied[map[string][]reach.Rule]("ec2:DescribeSecurityGroupRules")
	}),
	"endpoints": onNetwork(func(n *reach.Network) { n.Endpoints = reach.Denied[[]reach.Endpoint]("ec2:DescribeVpcEndpoints") }),
	"one group": onNetwork(func(n *reach.Network) {
		if groups, known := n.Rules.Get(); known {
			delete(groups, "sg-node")
		}
	}),
	"trust":   onRole(func(r *reach.Role) { r.Trust = reach.Denied[string]("iam:GetInstanceProfile") }),
	"allowed": onRole(func(r *reach.Role) { r.Allowed = nil }),
	"policy":  onKey(key, func(k *reach.Key) { k.Policy = reach.Denied[string]("kms:GetKeyPolicy") }),
}

// drawChanges are some findings' changes, made on any kind of node.
func drawChanges(t *rapid.T) []func(*reach.Facts) {
	every := slices.Concat(findings, sessionFindings)
	var changes []func(*reach.Facts)
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
			changes = slices.DeleteFunc(changes, func(func(*reach.Facts)) bool { return true })
		}
		full := reach.Judge(changed(build(), changes...))
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
		for i, c := range reach.Judge(less) {
			if c.Result == reach.Pass && full[i].Result != reach.Pass {
				t.Errorf("%s passes without %v, and with it is %+v", c.Name, hidden, full[i])
			}
			if c.Result == reach.Fail && full[i].Result == reach.Pass {
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

func known[T any](k reach.Known[T], r *rand.Rand) {
	if v, ok := k.Get(); ok {
		shuffle(reflect.ValueOf(v), r)
	}
}

func TestTheOrderOfListsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := drawChanges(t)
		want := reach.Judge(changed(stack(), changes...))
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
		if got := reach.Judge(f); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestJudgingChangesNoFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := drawChanges(t)
		f, same := changed(stack(), changes...), changed(stack(), changes...)
		first := reach.Judge(f)
		if !reflect.DeepEqual(f, same) || !reflect.DeepEqual(first, reach.Judge(f)) {
			t.Fatal("facts were changed, or judged differently the second time")
		}
	})
}
