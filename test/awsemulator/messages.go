package awsemulator

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

const (
	// messagesService is the service of the channels between clients, AWS and agents.
	messagesService    = "ssmmessages"
	dataChannelPath    = "/v1/data-channel/"
	controlChannelPath = "/v1/control-channel/"
	// queueService is the older service, from which agents get other work than sessions.
	queueService = "ec2messages"
	// pollTime is how long AWS holds an agent that asks for work. That is a guess.
	pollTime = 20 * time.Second
)

// channelInput is what a channel is for: a session, or a node.
type channelInput struct{ Channel *string }

// messages is the service that opens channels.
func (s *Server) messages() *service.Service {
	operation := func(name string, checks func(*service.Request, any) []service.Check, call func(*service.Request, string) (any, error)) service.Operation {
		return service.Operation{
			Name: name, Kind: service.Write, NewInput: func() any { return &channelInput{} }, Checks: checks,
			Call: func(r *service.Request, in any) (any, error) {
				return call(r, aws.ToString(in.(*channelInput).Channel))
			},
		}
	}
	anywhere := func(action string) func(*service.Request, any) []service.Check {
		return func(*service.Request, any) []service.Check {
			return []service.Check{{Action: messagesService + ":" + action, Resource: "*"}}
		}
	}
	// Old clients do not sign the request: their token authenticates.
	open := operation("OpenDataChannel", s.onDataChannel, s.openDataChannel)
	open.Anonymous, open.MayBeSigned = true, true
	return &service.Service{Name: messagesService, Dialect: wire.Messages, Route: routeChannel, Operations: service.Collect([]service.Operation{
		open,
		operation("CreateDataChannel", anywhere("CreateDataChannel"), s.createDataChannel),
		operation("CreateControlChannel", anywhere("CreateControlChannel"), s.createControlChannel),
		operation("OpenControlChannel", anywhere("OpenControlChannel"), s.openControlChannel),
	})}
}

// routeChannel finds the operation by the path: a channel is created with POST, and
// opened with GET.
func routeChannel(r *http.Request) (string, url.Values) {
	verb := map[string]string{http.MethodGet: "Open", http.MethodPost: "Create"}[r.Method]
	for path, noun := range map[string]string{dataChannelPath: "DataChannel", controlChannelPath: "ControlChannel"} {
		if id, ok := strings.CutPrefix(r.URL.Path, path); ok && verb != "" {
			return verb + noun, url.Values{"Channel": {id}}
		}
	}
	return "", nil
}

// onDataChannel is the check of clients that sign, and of agents.
func (s *Server) onDataChannel(r *service.Request, in any) []service.Check {
	if r.Caller.AccountID == "" {
		return nil
	}
	arn := s.mustRegion(r).SSM.SessionARN(aws.ToString(in.(*channelInput).Channel))
	return []service.Check{{Action: messagesService + ":OpenDataChannel", Resource: arn, Context: s.resourceContext(arn)}}
}

func (s *Server) openDataChannel(_ *service.Request, session string) (any, error) {
	return &wire.Upgrade{Serve: func(w http.ResponseWriter, r *http.Request) { s.channels.Serve(w, r, session) }}, nil
}

// createDataChannel admits the agent of a node to a session on it.
func (s *Server) createDataChannel(r *service.Request, session string) (any, error) {
	opened, ok := s.mustRegion(r).SSM.Session(session)
	if !ok || !isNode(r.Caller, opened.Target) {
		return nil, notOfNode(r, "CreateDataChannel", session)
	}
	token := s.random.Secret(64)
	if !s.channels.AdmitNode(token, session) {
		// Agents know this text, and try no more.
		return nil, wire.Errorf(400, "BadRequestException", "Session is already terminated")
	}
	return created("CreateDataChannelResponse", token)
}

func (s *Server) createControlChannel(r *service.Request, node string) (any, error) {
	if _, ok := s.mustRegion(r).Fleet.Node(node); !ok || !isNode(r.Caller, node) {
		return nil, notOfNode(r, "CreateControlChannel", node)
	}
	token := s.random.Secret(64)
	s.nodeChannels.Admit(token, node)
	return created("CreateControlChannelResponse", token)
}

func (s *Server) openControlChannel(r *service.Request, node string) (any, error) {
	if !isNode(r.Caller, node) {
		return nil, notOfNode(r, "OpenControlChannel", node)
	}
	return &wire.Upgrade{Serve: func(w http.ResponseWriter, r *http.Request) { s.nodeChannels.Serve(w, r, node) }}, nil
}

// notOfNode refuses a channel that is not of the caller, as IAM would.
func notOfNode(r *service.Request, operation, channel string) error {
	return wire.Errorf(403, "AccessDeniedException", "User: %s is not authorized to perform: %s:%s on resource: %s", r.Caller.ARN, messagesService, operation, channel)
}

// created answers with a token.
func created(name, token string) (*wire.Raw, error) {
	body, err := xml.Marshal(struct {
		XMLName              xml.Name
		MessageSchemaVersion string
		TokenValue           string
	}{xml.Name{Local: name}, "1.0", token})
	return &wire.Raw{Status: http.StatusCreated, ContentType: "text/xml", Body: body}, err
}

// queueInput is what agents ask for work with.
type queueInput struct{ Destination *string }

// messageQueue is the service from which agents get work. There is none.
func (s *Server) messageQueue() *service.Service {
	return &service.Service{Name: queueService, TargetPrefix: "EC2WindowsMessageDeliveryService", Operations: service.Collect([]service.Operation{{
		Name: "GetMessages", Kind: service.Read, NewInput: func() any { return &queueInput{} },
		Checks: func(*service.Request, any) []service.Check {
			return []service.Check{{Action: queueService + ":GetMessages", Resource: "*", Context: authz.Context{}}}
		},
		Call: func(req *service.Request, in any) (any, error) {
			answer, err := wire.RawJSON(map[string]any{
				"Destination": aws.ToString(in.(*queueInput).Destination), "Messages": []any{}, "MessagesRequestId": req.ID,
			})
			if err != nil {
				return nil, err
			}
			return &wire.Upgrade{Serve: func(w http.ResponseWriter, r *http.Request) {
				limited, cancel := context.WithTimeout(r.Context(), pollTime)
				defer cancel()
				<-limited.Done()
				w.Header().Set("Content-Type", answer.ContentType)
				_, _ = w.Write(answer.Body) // An agent that has gone away is no concern of the server's.
			}}, nil
		},
	}})}
}
