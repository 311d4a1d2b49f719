package iam

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
)

// Within the window, reads may lag by readLag, and a request that was sent may
// still take effect for lateEffect.
const (
	readLag    = 25 * time.Second
	lateEffect = 30 * time.Second
)

// fate is what the network makes of a write.
type fate int

const (
	arrives   fate = iota
	vanishes       // no effect, no answer
	unheard        // effect, no answer
	belated        // no answer, and the effect comes later
	fateKinds = 4
)

// lostError is not retried by the SDK, which would only take time.
type lostError struct{}

func (lostError) Error() string        { return "connection lost" }
func (lostError) RetryableError() bool { return false }

// lossyNetwork loses or delays writes as next says.
type lossyNetwork struct {
	client aws.HTTPClient
	aws    *awsemulator.Server
	// next are the fates of the next writes; beyond them all arrive.
	next []fate
	// delayed are the writes that are yet to take effect.
	delayed []delayedWrite
}

type delayedWrite struct {
	request *http.Request
	body    []byte
	latest  time.Time
}

// Do implements aws.HTTPClient.
func (n *lossyNetwork) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	if strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "List") || len(n.next) == 0 {
		return n.client.Do(r)
	}
	fate := n.next[0]
	n.next = n.next[1:]
	switch fate {
	case vanishes:
		return nil, lostError{}
	case unheard:
		response, err := n.client.Do(r)
		if err == nil {
			err = response.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		return nil, lostError{}
	case belated:
		n.delayed = append(n.delayed, delayedWrite{r.Clone(context.Background()), body, n.aws.Now().Add(lateEffect)})
		return nil, lostError{}
	}
	return n.client.Do(r)
}

// deliver lets the i-th delayed write take effect, if it still can.
func (n *lossyNetwork) deliver(t *rapid.T, i int) {
	d := n.delayed[i]
	n.delayed = slices.Delete(n.delayed, i, i+1)
	d.request.Body = io.NopCloser(bytes.NewReader(d.body))
	response, err := n.client.Do(d.request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

// machine drives a cache with the operator's writes, a lossy network, a
// stranger, reads that lag, restarts and time.
type machine struct {
	*world
	network *lossyNetwork
	// touched is when the operator last wrote, or may have written, to a
	// policy.
	touched map[string]time.Time
	// meddled is when the stranger last changed a policy, for as long as no
	// read can have shown it.
	meddled map[string]time.Time
	started time.Time
}

var (
	modelPolicies   = []string{"ssma-0a1b2c3d-u-x-1", "ssma-0a1b2c3d-u-y-1"}
	modelPrincipals = []Principal{alice, bob, admins}
	modelDocuments  = []string{grantA, grantB, grantC}
)

func newMachine(t *rapid.T) *machine {
	m := &machine{world: newWorld(t), touched: map[string]time.Time{}, meddled: map[string]time.Time{}}
	m.network = &lossyNetwork{client: m.base.HTTPClient, aws: m.aws}
	m.aws.SetConsistency(awsemulator.Consistency{Reads: readLag, Spread: rapid.Bool().Draw(t, "spread")})
	m.aws.SetShortPages(0.3)
	m.begin()
	return m
}

// begin starts a process.
func (m *machine) begin() {
	m.restart(func(o *awsclient.Options) { o.Base.HTTPClient = m.network })
	m.started = m.aws.Now()
	if _, err := m.account.Identity(context.Background()); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) drawPolicy(t *rapid.T) string {
	return rapid.SampledFrom(modelPolicies).Draw(t, "policy")
}

func (m *machine) drawPrincipal(t *rapid.T) Principal {
	return rapid.SampledFrom(modelPrincipals).Draw(t, "principal")
}

func (m *machine) drawDocument(t *rapid.T) string {
	return rapid.SampledFrom(modelDocuments).Draw(t, "document")
}

// write makes a write of the operator over a network that may lose it.
func (m *machine) write(t *rapid.T, do func(name string) error) {
	name := m.drawPolicy(t)
	m.network.next = nil
	for range rapid.IntRange(0, 3).Draw(t, "requests with a fate") {
		m.network.next = append(m.network.next, fate(rapid.IntRange(0, fateKinds-1).Draw(t, "fate")))
	}
	err := do(name)
	m.network.next = nil
	m.touched[name] = m.aws.Now()
	if err != nil {
		switch class := awserr.Classify(err); class {
		case awserr.Transport, awserr.Missing, awserr.Waiting, awserr.Conflict:
		default:
			t.Fatalf("unexpected %s: %v", class, err)
		}
	}
}

// meddle lets the stranger change a policy. A failure is fine.
func (m *machine) meddle(t *rapid.T, do func(name string) error) {
	name := m.drawPolicy(t)
	if do(name) == nil {
		m.meddled[name] = m.aws.Now()
	}
}

// advance moves time on; what is delayed takes effect no later than it may.
func (m *machine) advance(t *rapid.T, d time.Duration) {
	until := m.aws.Now().Add(d)
	for {
		soonest := until
		at := -1
		for i, delayed := range m.network.delayed {
			if !delayed.latest.After(soonest) {
				soonest, at = delayed.latest, i
			}
		}
		m.aws.Advance(soonest.Sub(m.aws.Now()))
		if at < 0 {
			return
		}
		m.network.deliver(t, at)
	}
}

// sawAll notes a read of the policies that began now.
func (m *machine) sawAll(names ...string) {
	now := m.aws.Now()
	for _, name := range names {
		if !now.Before(m.meddled[name].Add(readLag)) && !now.Before(m.touched[name].Add(awsclient.ConsistencyWindow)) {
			delete(m.meddled, name)
		}
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	ctx := context.Background()
	return map[string]func(*rapid.T){
		"create": func(t *rapid.T) {
			document := m.drawDocument(t)
			m.write(t, func(name string) error {
				return m.account.CreatePolicy(ctx, NewPolicy{Name: name, Document: document})
			})
		},
		"put": func(t *rapid.T) {
			document := m.drawDocument(t)
			m.write(t, func(name string) error { return m.account.PutDocument(ctx, name, document) })
		},
		"attach": func(t *rapid.T) {
			p := m.drawPrincipal(t)
			m.write(t, func(name string) error { return m.account.Attach(ctx, name, p) })
		},
		"detach": func(t *rapid.T) {
			p := m.drawPrincipal(t)
			m.write(t, func(name string) error { return m.account.Detach(ctx, name, p) })
		},
		"delete": func(t *rapid.T) {
			m.write(t, func(name string) error { return m.account.DeletePolicy(ctx, name) })
		},
		"refresh": func(*rapid.T) {
			m.refresh()
			m.sawAll(modelPolicies...)
		},
		"look up": func(t *rapid.T) {
			name := m.drawPolicy(t)
			switch _, err := m.account.LookUpPolicy(ctx, name); awserr.Classify(err) {
			case awserr.None:
				m.sawAll(name)
			case awserr.Waiting: // answers that do not fit together
			default:
				t.Fatal(err)
			}
		},
		"advance": func(t *rapid.T) {
			m.advance(t, time.Duration(rapid.SampledFrom([]int{1, 10, 31, 61, 200}).Draw(t, "seconds"))*time.Second)
		},
		"late effect": func(t *rapid.T) {
			if len(m.network.delayed) == 0 {
				t.Skip("nothing is delayed")
			}
			m.network.deliver(t, rapid.IntRange(0, len(m.network.delayed)-1).Draw(t, "which"))
		},
		"restart": func(t *rapid.T) {
			// What the process before had sent takes effect, but reads lag.
			for len(m.network.delayed) > 0 {
				m.network.deliver(t, 0)
			}
			clear(m.touched)
			m.begin()
		},
		"meddle": m.meddleAction,
		"":       m.check,
	}
}

func (m *machine) meddleAction(t *rapid.T) {
	ctx := context.Background()
	meddlings := map[string]func(name string) error{
		"edit": func(name string) error {
			_, err := m.stranger.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{
				PolicyArn: arnOf(name), PolicyDocument: aws.String(m.drawDocument(t)), SetAsDefault: true,
			})
			return err
		},
		"move the default": func(name string) error {
			_, err := m.stranger.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{
				PolicyArn: arnOf(name), VersionId: aws.String("v1"),
			})
			return err
		},
		"attach": func(name string) error {
			_, err := m.stranger.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{PolicyArn: arnOf(name), UserName: &bob.Name})
			return err
		},
		"detach": func(name string) error {
			_, err := m.stranger.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{PolicyArn: arnOf(name), UserName: &alice.Name})
			return err
		},
		"delete": func(name string) error {
			_, err := m.stranger.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arnOf(name)})
			return err
		},
	}
	kinds := []string{"edit", "move the default", "attach", "detach", "delete"}
	m.meddle(t, meddlings[rapid.SampledFrom(kinds).Draw(t, "meddling")])
}

// check holds what the cache claims to be proven against what is.
func (m *machine) check(t *rapid.T) {
	views, complete := m.cache.PoliciesWithPrefix("ssma-")
	for _, name := range modelPolicies {
		if _, pending := m.meddled[name]; pending {
			continue
		}
		document, attached, exists := m.truth(name)
		view := m.cache.Policy(name)
		if view.PresenceProven && (view.Presence == Present) != exists {
			t.Fatalf("%s: proven %v, and it exists: %v", name, view.Presence, exists)
		}
		if view.DocumentProven && view.Presence == Present && view.PresenceProven && view.Document != document {
			t.Fatalf("%s: proven to say %s, and it says %s", name, view.Document, document)
		}
		for _, p := range modelPrincipals {
			presence, proven := view.Attachment(p)
			if isAttached := holds(attached, p); proven && (presence == Present) != isAttached {
				t.Fatalf("%s: attachment to %s is proven %v, and is %v", name, p, presence, isAttached)
			}
		}
		listed := slices.ContainsFunc(views, func(v PolicyView) bool { return v.Name == name })
		if complete && exists && !listed && !view.Gone() {
			t.Fatalf("%s exists and is in no complete list", name)
		}
	}
	m.checkIndex(t)
}

// checkIndex holds the two directions of the attachments against one another.
func (m *machine) checkIndex(t *rapid.T) {
	for _, p := range modelPrincipals {
		var fromPolicies []string
		for _, name := range modelPolicies {
			if slices.ContainsFunc(m.cache.Policy(name).AttachedTo(), p.same) {
				fromPolicies = append(fromPolicies, name)
			}
		}
		if got := m.cache.Principal(p).Attached; !slices.Equal(got, fromPolicies) {
			t.Fatalf("%s has %v, by the policies %v", p, got, fromPolicies)
		}
	}
}

func holds(attached []string, p Principal) bool {
	return slices.ContainsFunc(attached, func(arn string) bool {
		return strings.Contains(arn, ":"+strings.ToLower(string(p.Kind))+"/") && strings.HasSuffix(arn, "/"+p.Name)
	})
}

// settleAndCompare ends all writing, waits for the window and reads: then the
// cache is IAM, and all of it proven.
func (m *machine) settleAndCompare(t *rapid.T) {
	m.advance(t, awsclient.ConsistencyWindow)
	m.refresh()
	for _, name := range modelPolicies {
		document, attached, exists := m.truth(name)
		view := m.cache.Policy(name)
		want := fmt.Sprintf("%v %s %v", exists, document, len(attached))
		got := fmt.Sprintf("%v %s %v", view.Presence == Present, view.Document, len(view.AttachedTo()))
		if got != want || !view.PresenceProven || (exists && !view.DocumentProven) || !view.OthersProven {
			t.Fatalf("%s: the cache holds %+v, IAM %s attached to %v", name, view, want, attached)
		}
		if !view.SettlesAt.IsZero() {
			t.Fatalf("%s: all is proven, but settles at %v", name, view.SettlesAt)
		}
		for _, p := range view.AttachedTo() {
			if !holds(attached, p) {
				t.Fatalf("%s: attached to %s in the cache alone", name, p)
			}
		}
	}
	m.check(t)
}

func TestCacheNeverClaimsProofOfWhatIsNotSo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(m.actions())
		m.settleAndCompare(t)
	})
}
