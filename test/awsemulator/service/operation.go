package service

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Request is one API call on its way through the emulator.
type Request struct {
	ID     string
	Caller Caller
	// Region is that of the credential scope.
	Region string
	// Now is the emulator's time when the request arrived.
	Now time.Time
	// Endpoint is the URL that the client called, without a path.
	Endpoint string
	// SourceIP is the client's address without its port.
	SourceIP string
	// Authorize judges one check; it is nil-safe through Allowed.
	Authorize func(Check) error
}

// Allowed asks whether the caller may do what the check describes. The error
// is a *wire.Error ready to answer.
func (r *Request) Allowed(c Check) error {
	if r.Authorize == nil {
		return nil
	}
	return r.Authorize(c)
}

// Check is one question of authorization: an action on one resource.
type Check struct {
	// Action is "service:Operation".
	Action string
	// Resource is an ARN, or "*" for actions without one.
	Resource string
	// Context holds the condition keys of the operation and the resource, on
	// top of the caller's own.
	Context authz.Context
	// ResourcePolicy is the policy of the resource itself, nil when it has none,
	// and Rule how it combines with those of the caller.
	ResourcePolicy *authz.Policy
	Rule           authz.ResourceRule
}

// Kind distinguishes reads from writes.
type Kind bool

// The kinds of operation.
const (
	Read  Kind = false
	Write Kind = true
)

// Operation is one API operation of a service.
type Operation struct {
	Name string
	Kind Kind
	// Anonymous operations are open to callers without a signature.
	Anonymous bool
	// MayBeSigned checks the signature of an anonymous operation where there is one.
	MayBeSigned bool
	// ByNode operations are signed with the key that a node registered.
	ByNode bool
	// NewInput returns a pointer to the SDK's empty input structure.
	NewInput func() any
	// Checks lists what the caller must be allowed; nil asks nothing.
	Checks func(*Request, any) []Check
	// Call does it. Errors are *wire.Error; others are faults of the emulator.
	Call func(*Request, any) (any, error)

	required []string
}

// Require names members without which AWS refuses the request.
func (o Operation) Require(members ...string) Operation {
	o.required = append(o.required, members...)
	return o
}

// Define makes an operation of a method on the state that it works on. of
// finds that state for a request; checks may be nil.
func Define[S, I, O any](of func(*Request) S, name string, kind Kind,
	checks func(S, *Request, *I) []Check, call func(S, *Request, *I) (*O, error),
) Operation {
	op := Operation{
		Name: name, Kind: kind,
		NewInput: func() any { return new(I) },
		Call: func(r *Request, in any) (any, error) {
			out, err := call(of(r), r, in.(*I))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
	if checks != nil {
		op.Checks = func(r *Request, in any) []Check { return checks(of(r), r, in.(*I)) }
	}
	return op
}

// Validate checks that every required member is there.
func (o Operation) Validate(in any) error {
	v := reflect.ValueOf(in).Elem()
	for _, member := range o.required {
		if v.FieldByName(member).IsZero() {
			return ValidationError("Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(member))
		}
	}
	return nil
}

// Service is a set of operations under one name and protocol.
type Service struct {
	// Name is that of the credential scope and of IAM actions.
	Name string
	// Dialect is the query protocol's; nil for JSON 1.1.
	Dialect *wire.Dialect
	// TargetPrefix precedes the operation in X-Amz-Target of JSON services.
	TargetPrefix string
	// Route finds the operation of a request, and its parameters, where path and
	// query determine them. The operation is empty for a request that is none.
	Route func(*http.Request) (operation string, parameters url.Values)
	// Operations by name.
	Operations map[string]Operation
}

// Collect indexes operations by their names.
func Collect(operations ...[]Operation) map[string]Operation {
	byName := map[string]Operation{}
	for _, list := range operations {
		for _, op := range list {
			byName[op.Name] = op
		}
	}
	return byName
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
