// Package ram is AWS Resource Access Manager in one region of an account, as far as it
// shares Systems Manager documents with an organization.
package ram

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Options says how a region's RAM is set up. All of it is needed.
type Options struct {
	service.Scope
	Now    func() time.Time
	Random *service.Random
	Paging *service.Paging
	// Takes is how long an association takes to be made or to end.
	Takes func() time.Duration
	// Exists reports whether a resource exists that can be shared.
	Exists func(arn string) bool
	// Changed is called after each change.
	Changed func(now time.Time)
}

// Region is the resource shares of one account in one region. It is safe for concurrent
// use.
type Region struct {
	Options

	mu       sync.Mutex
	shares   []*share
	failures map[string]string
}

// NewRegion returns a region without resource shares.
func NewRegion(o Options) *Region { return &Region{Options: o, failures: map[string]string{}} }

// share is a resource share.
type share struct {
	arn, name, token, request string
	external                  bool
	tags                      map[string]string
	created                   time.Time
	deleted                   bool
	associations              []*association
}

// association is what a resource share holds.
type association struct {
	kind   types.ResourceShareAssociationType
	entity string
	// ending: it is being removed.
	ending bool
	// failure is why it cannot be made; "" where it can.
	failure     string
	made, ready time.Time
}

func (a *association) status(now time.Time) types.ResourceShareAssociationStatus {
	settled := !now.Before(a.ready)
	switch {
	case a.ending && settled:
		return types.ResourceShareAssociationStatusDisassociated
	case a.ending:
		return types.ResourceShareAssociationStatusDisassociating
	case !settled:
		return types.ResourceShareAssociationStatusAssociating
	case a.failure != "":
		return types.ResourceShareAssociationStatusFailed
	}
	return types.ResourceShareAssociationStatusAssociated
}

// holds reports whether the association gives access: also until its end is complete.
func (a *association) holds(now time.Time) bool {
	s := a.status(now)
	return s == types.ResourceShareAssociationStatusAssociated || s == types.ResourceShareAssociationStatusDisassociating
}

// present reports whether the association is there, whatever its state.
func (a *association) present(now time.Time) bool {
	return a.status(now) != types.ResourceShareAssociationStatusDisassociated
}

// FailAssociations makes associations of an entity fail with a message; "" lets them
// succeed again.
func (r *Region) FailAssociations(entity, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[entity] = message
}

// SharedWith lists whom a resource is shared with.
func (r *Region) SharedWith(resource string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, whom := r.Now(), map[string]bool{}
	for _, s := range r.shares {
		if !slices.ContainsFunc(s.associations, func(a *association) bool { return a.entity == resource && a.holds(now) }) {
			continue
		}
		for _, a := range s.associations {
			if a.kind == types.ResourceShareAssociationTypePrincipal && a.holds(now) {
				whom[a.entity] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(whom))
}

// Names are those of the resource shares that are not deleted.
func (r *Region) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, s := range r.shares {
		if !s.deleted {
			names = append(names, s.name)
		}
	}
	return names
}

// The forms of principals: an account, an organization, an organizational unit.
var (
	accountForm      = regexp.MustCompile(`^\d{12}$`)
	organizationForm = regexp.MustCompile(`^arn:aws[a-z-]*:organizations::\d{12}:(organization/o-[a-z0-9]{10,32}|ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$`)
)

// checkPrincipal refuses a principal that RAM cannot share with.
func checkPrincipal(principal string) error {
	switch {
	case accountForm.MatchString(principal), organizationForm.MatchString(principal):
		return nil
	case strings.HasPrefix(principal, "arn:"):
		return failure("MalformedArnException", "The specified principal ARN %s is not valid.", principal)
	}
	return failure("InvalidParameterException", "The specified principal %s is not valid.", principal)
}

// checkResource refuses a resource that RAM cannot share.
func (r *Region) checkResource(arn string) error {
	if !strings.HasPrefix(arn, r.ARN("ssm", "document/")) {
		return failure("MalformedArnException", "The specified resource ARN %s is not valid.", arn)
	}
	if !r.Exists(arn) {
		return failure("UnknownResourceException", "Resource %s could not be found.", arn)
	}
	return nil
}

// find finds a share that is not deleted. The caller holds mu.
func (r *Region) find(arn string) (*share, error) {
	for _, s := range r.shares {
		if s.arn == arn && !s.deleted {
			return s, nil
		}
	}
	return nil, failure("UnknownResourceException", "ResourceShare %s could not be found.", arn)
}

// add makes an association, or makes one again that ended or failed. The caller holds mu.
func (r *Region) add(s *share, kind types.ResourceShareAssociationType, entity string, now time.Time) *association {
	for _, a := range s.associations {
		if a.entity != entity {
			continue
		}
		if status := a.status(now); status == types.ResourceShareAssociationStatusAssociated || status == types.ResourceShareAssociationStatusAssociating {
			return a
		}
		a.ending, a.failure, a.made, a.ready = false, r.failures[entity], now, now.Add(r.Takes())
		return a
	}
	a := &association{kind: kind, entity: entity, failure: r.failures[entity], made: now, ready: now.Add(r.Takes())}
	s.associations = append(s.associations, a)
	return a
}

// end ends an association. The caller holds mu.
func (r *Region) end(a *association, now time.Time) {
	if a.ending {
		return
	}
	a.ending, a.made, a.ready = true, now, now.Add(r.Takes())
}
