package ssm

import (
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/history"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/service"
)

// Options says how a region's SSM is set up. All of it is needed, but for
// Changed.
type Options struct {
	service.Scope
	Fleet  *fleet.Fleet
	Now    func() time.Time
	Random *service.Random
	// Lag is how far DescribeSessions is behind.
	Lag *service.Lag
	// Paging is how full pages are.
	Paging *service.Paging
	// EndingTime is how long a session takes to end.
	EndingTime func() time.Duration
	// Changed is called after each change.
	Changed func(now time.Time)
}

// Region is the SSM of one account in one region. It is safe for concurrent
// use.
type Region struct {
	Options
	history *history.History[*State]
}

// State is sessions and documents at one moment. It is immutable.
type State struct {
	sessions  ordered.Map[*Session]
	documents ordered.Map[*Document]
}

// NewRegion returns a region without sessions or documents.
func NewRegion(o Options) *Region {
	return &Region{Options: o, history: history.New(&State{
		sessions: ordered.New[*Session](), documents: ordered.New[*Document](),
	}, 0)}
}

// Keep makes the region remember its past for this long.
func (r *Region) Keep(d time.Duration) { r.history.Keep(r.Now(), d) }

// read returns the state that a lagging read at now sees.
func (r *Region) read(now time.Time) *State {
	t, latest := r.Lag.ReadTime(now)
	if latest {
		return r.history.Latest()
	}
	return r.history.At(t)
}

func (r *Region) update(now time.Time, change func(*State) error) error {
	return r.history.Update(now, func(s *State) (*State, error) {
		next := *s
		err := change(&next)
		return &next, err
	}, func(*State) {
		if r.Changed != nil {
			r.Changed(now)
		}
	})
}

// NodeARN is the ARN by which policies name a node.
func (r *Region) NodeARN(id string) string {
	if strings.HasPrefix(id, "mi-") {
		return r.ARN("ssm", "managed-instance/"+id)
	}
	return r.ARN("ec2", "instance/"+id)
}

// SessionARN is the ARN by which policies name a session.
func (r *Region) SessionARN(id string) string { return r.ARN("ssm", "session/"+id) }

// ResourceContext holds the tags of a node, document or session of the region
// as condition keys, by its ARN.
func (r *Region) ResourceContext(arn string) authz.Context {
	var ctx authz.Context
	kind, name, _ := strings.Cut(arn[strings.LastIndex(arn, ":")+1:], "/")
	switch kind {
	case "instance", "managed-instance":
		if n, ok := r.Fleet.Node(name); ok {
			setTags(&ctx, n.Tags)
			if kind == "instance" {
				for k, v := range n.Tags {
					ctx.Set("ec2:ResourceTag/"+k, v)
				}
			}
		}
	case "document":
		if d, ok := r.history.Latest().documents.Get(name); ok {
			setTags(&ctx, d.Tags)
		}
	case "session":
		if s, ok := r.history.Latest().sessions.Get(name); ok {
			setTags(&ctx, s.tags())
		}
	}
	return ctx
}

func setTags(ctx *authz.Context, tags map[string]string) {
	for k, v := range tags {
		ctx.Set("aws:ResourceTag/"+k, v)
		ctx.Set("ssm:resourceTag/"+k, v)
	}
}
