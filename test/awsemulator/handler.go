package awsemulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/sigv4"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// maxBody is more than any request of the emulated services may have.
const maxBody = 8 << 20

// exchange is one HTTP request on its way.
type exchange struct {
	http      *http.Request
	body      []byte
	form      url.Values
	signature *sigv4.Signature
	service   *service.Service
	operation string
	request   *service.Request
	call      int
}

// ServeHTTP answers AWS requests, and the control endpoint.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, ControlPath) {
		s.control.ServeHTTP(w, r)
		return
	}
	x := &exchange{http: r, request: &service.Request{
		ID: s.requestIDs.RequestID(), Now: s.clock.Now(), SourceIP: sourceIP(r), Endpoint: endpoint(r),
	}}
	out, err := s.answer(x)
	if errors.Is(err, errDropped) {
		// The server closes the connection without an answer.
		panic(http.ErrAbortHandler)
	}
	if channel, ok := out.(*wire.Upgrade); ok && err == nil {
		channel.Serve(w, r)
		return
	}
	writeAnswer(r.Context(), w, x, out, err)
}

// answer does what a request asks for.
func (s *Server) answer(x *exchange) (any, error) {
	if err := x.read(); err != nil {
		return nil, err
	}
	if err := s.route(x); err != nil {
		return nil, err
	}
	op, known := x.service.Operations[x.operation]
	var authenticated error
	switch {
	case op.ByNode:
		authenticated = s.authenticateNode(x)
	case !op.Anonymous || op.MayBeSigned && x.signature != nil:
		authenticated = s.authenticate(x)
	}
	x.call = s.calls.Begin(calls.Call{
		Time: x.request.Now, RequestID: x.request.ID, Service: x.service.Name, Operation: x.operation, Write: bool(op.Kind),
		AccountID: x.request.Caller.AccountID, Region: x.request.Region, Caller: x.request.Caller.ARN, UserAgent: x.http.UserAgent(),
	})
	out, err := s.perform(x, op, known, authenticated)
	err = inProtocol(x.service, err)
	s.calls.End(x.call, codeOf(err))
	s.runAnswered(x.call)
	return out, err
}

func (s *Server) perform(x *exchange, op service.Operation, known bool, authenticated error) (any, error) {
	if authenticated != nil {
		return nil, authenticated
	}
	if !known {
		return nil, unknownOperation(x)
	}
	in := op.NewInput()
	if err := x.decode(in); err != nil {
		return nil, err
	}
	parameters := parametersOf(in)
	s.calls.Update(x.call, func(c *calls.Call) { c.Parameters = parameters })
	s.runHooks(x.call)
	struck := s.faults.Strike(faults.Subject{
		Action: x.service.Name + ":" + x.operation, AccountID: x.request.Caller.AccountID, Caller: x.request.Caller.ARN,
		Region: x.request.Region, Write: bool(op.Kind), Parameters: parameters,
	})
	if err := s.before(x, struck); err != nil {
		return nil, err
	}
	// Time may have passed in a hook or a fault.
	x.request.Now = s.clock.Now()
	out, err := s.carryOut(x, op, in)
	if late := s.after(x, struck); late != nil {
		return nil, late
	}
	return out, err
}

// carryOut validates, authorizes and calls the operation.
func (s *Server) carryOut(x *exchange, op service.Operation, in any) (any, error) {
	if err := op.Validate(in); err != nil {
		return nil, err
	}
	x.request.Authorize = func(c service.Check) error { return s.authorize(x, c) }
	if op.Checks != nil {
		for _, c := range op.Checks(x.request, in) {
			if err := x.request.Allowed(c); err != nil {
				return nil, err
			}
		}
	}
	out, err := op.Call(x.request, in)
	if err == nil {
		s.calls.Update(x.call, func(c *calls.Call) { c.Effect = true })
	}
	return out, err
}

// inProtocol gives the error of a bad parameter the name that the service's
// protocol has for it.
func inProtocol(svc *service.Service, err error) error {
	failure, ok := errors.AsType[*wire.Error](err)
	if !ok || failure.Code != "ValidationError" {
		return err
	}
	renamed := *failure
	switch {
	case svc.Dialect == nil:
		renamed.Code = "ValidationException"
	case svc.Name == "ec2":
		renamed.Code = "InvalidParameterValue"
	}
	return &renamed
}

func (s *Server) runHooks(n int) {
	s.mu.RLock()
	hooks := s.hooks
	s.mu.RUnlock()
	s.run(hooks, n)
}

func (s *Server) runFaulted(n int) {
	s.mu.RLock()
	hooks := s.faulted
	s.mu.RUnlock()
	s.run(hooks, n)
}

func (s *Server) runAnswered(n int) {
	s.mu.RLock()
	hooks := s.answered
	s.mu.RUnlock()
	s.run(hooks, n)
}

// run calls hooks with call number n. The log may have been emptied meanwhile.
func (s *Server) run(hooks []func(calls.Call), n int) {
	if len(hooks) == 0 {
		return
	}
	log := s.calls.Since(n - 1)
	if len(log) == 0 || log[0].N != n {
		return
	}
	for _, hook := range hooks {
		hook(log[0])
	}
}

// read takes in the body and the signature.
func (x *exchange) read() error {
	body, err := io.ReadAll(io.LimitReader(x.http.Body, maxBody))
	if err != nil {
		return wire.Errorf(400, "IncompleteBody", "The request body could not be read: %v", err)
	}
	x.body = body
	if x.signature, err = sigv4.Parse(x.http); err != nil {
		return wire.Errorf(400, "IncompleteSignature", "%v", err)
	}
	return nil
}

// route finds the service by the credential scope, and the operation.
func (s *Server) route(x *exchange) error {
	target := x.http.Header.Get("X-Amz-Target")
	name := ""
	if x.signature != nil {
		name, x.request.Region = x.signature.Service, x.signature.Region
	} else if strings.HasPrefix(x.http.URL.Path, dataChannelPath) {
		name = messagesService
	}
	if svc := s.services[name]; svc != nil && svc.Route != nil {
		x.operation, x.form = svc.Route(x.http)
	} else if target == "" {
		form, err := x.readForm()
		if err != nil {
			return err
		}
		x.form, x.operation = form, form.Get("Action")
	} else {
		prefix, operation, _ := strings.Cut(target, ".")
		x.operation = operation
		if name == "" {
			name = s.serviceOfTarget(prefix)
		}
	}
	if x.service = s.services[name]; x.service == nil {
		return wire.Errorf(400, "UnknownService", "The emulator has no service %q; it knows a request's service by the scope of its signature.", name)
	}
	return nil
}

// serviceOfTarget finds a JSON service by what precedes the operation in the
// target of a request that is not signed.
func (s *Server) serviceOfTarget(prefix string) string {
	for name, svc := range s.services {
		if svc.TargetPrefix != "" && svc.TargetPrefix == prefix {
			return name
		}
	}
	return ""
}

func (x *exchange) readForm() (url.Values, error) {
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		return nil, wire.Errorf(400, "MalformedQueryString", "The request body is not a form: %v", err)
	}
	maps.Copy(form, x.http.URL.Query())
	return form, nil
}

func (x *exchange) decode(in any) error {
	if x.service.Dialect != nil {
		return x.service.Dialect.DecodeQuery(x.form, in)
	}
	if err := wire.DecodeJSON(x.body, in); err != nil || x.service.Route == nil {
		return err
	}
	// Members that this protocol puts into the query.
	query := map[string]string{}
	for name := range x.form {
		query[name] = x.form.Get(name)
	}
	body, err := json.Marshal(query)
	if err != nil {
		return fmt.Errorf("read the query: %w", err)
	}
	return wire.DecodeJSON(body, in)
}

func endpoint(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

func unknownOperation(x *exchange) error {
	if x.service.Dialect == nil {
		return wire.Errorf(400, "UnknownOperationException", "The emulator does not know the operation %s:%s.", x.service.Name, x.operation)
	}
	if x.service.Route != nil {
		return wire.Errorf(501, "NotImplemented", "The emulator does not know what %s %s asks %s for.", x.http.Method, x.http.URL, x.service.Name)
	}
	return wire.Errorf(400, "InvalidAction", "The emulator does not know the action %s:%s.", x.service.Name, x.operation)
}
