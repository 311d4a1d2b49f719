package nodeagent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

const (
	// pingInterval is how often an agent reports itself.
	pingInterval = 5 * time.Minute
	// An agent waits between firstPause and maxPause before it opens its control channel
	// again, each time twice as long.
	firstPause = 100 * time.Millisecond
	maxPause   = 30 * time.Second
)

// Program is what a session runs. Its methods do not wait. One goroutine at a time calls
// them.
type Program interface {
	// Input takes what the client sent, unless Full reports that there is no room.
	Input(p []byte)
	Full() bool
	// Output returns up to limit bytes of output, none when there are none yet.
	Output(limit int) []byte
	// Ended reports whether the program has ended and all its output is taken.
	Ended() bool
	Resize(columns, rows int)
	Close()
}

// Options says what an agent calls and runs.
type Options struct {
	// Endpoint is the URL of all services.
	Endpoint, Region string
	// HTTPClient connects; the default one when nil.
	HTTPClient *http.Client
	// Version and Host are what it reports of itself and its machine.
	Version, Host string
	// Run starts the program of a session; the command is empty for a shell.
	Run func(command string) Program
}

func (o Options) client() *http.Client { return cmp.Or(o.HTTPClient, http.DefaultClient) }

// Agent is an agent that runs.
type Agent struct {
	options  Options
	identity *Identity
	cancel   context.CancelFunc
	done     chan struct{}

	mu       sync.Mutex
	keys     aws.Credentials
	life     time.Duration // of the keys
	control  *link
	sessions map[string]context.CancelFunc
}

// Start starts the agent of a registered machine. It returns when the node can be reached.
// The context ends the agent, as Stop does.
func Start(ctx context.Context, o Options, id *Identity) (*Agent, error) {
	running, cancel := context.WithCancel(ctx)
	a := &Agent{
		options: o, identity: id, cancel: cancel, done: make(chan struct{}),
		sessions: map[string]context.CancelFunc{},
	}
	err := a.ping(ctx)
	if err == nil {
		err = a.call(ctx, "ListInstanceAssociations", map[string]string{"InstanceId": id.Node})
	}
	if err != nil {
		cancel()
		return nil, err
	}
	l, err := a.openControl(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	go a.run(running, l)
	return a, nil
}

// Stop ends the agent and its sessions.
func (a *Agent) Stop() {
	a.cancel()
	<-a.done
}

// Node is the id of the node.
func (a *Agent) Node() string { return a.identity.Node }

func (a *Agent) call(ctx context.Context, operation string, in map[string]string) error {
	var nothing struct{}
	return a.options.call(ctx, operation, in, a.sign("ssm"), &nothing)
}

// ping reports the agent.
func (a *Agent) ping(ctx context.Context) error {
	return a.call(ctx, "UpdateInstanceInformation", map[string]string{
		"InstanceId": a.identity.Node, "AgentName": "amazon-ssm-agent", "AgentStatus": "Active", "AgentVersion": a.options.Version,
		"ComputerName": a.options.Host, "IPAddress": "127.0.0.1", "PlatformName": "Debian GNU/Linux", "PlatformType": "Linux", "PlatformVersion": "13",
		"SSMConnectionChannel": "ssmmessages",
	})
}

// openControl opens the control channel.
func (a *Agent) openControl(ctx context.Context) (*link, error) {
	path := "/v1/control-channel/" + a.identity.Node
	token, err := a.createChannel(ctx, path, map[string]string{})
	if err != nil {
		return nil, err
	}
	return a.dial(ctx, path+"?role=subscribe&stream=input", map[string]string{
		"TokenValue": token, "AgentVersion": a.options.Version, "PlatformType": "linux",
	})
}

// run keeps the control channel open and reports the agent, until the context ends.
func (a *Agent) run(ctx context.Context, l *link) {
	var wait sync.WaitGroup
	defer close(a.done)
	defer wait.Wait()
	wait.Go(func() { a.keepPinging(ctx) })
	pause := firstPause
	for {
		if l != nil {
			pause = firstPause
			a.serve(ctx, l, &wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		}
		l, _ = a.openControl(ctx) // A node that AWS refuses asks again, as real agents do.
	}
}

func (a *Agent) keepPinging(ctx context.Context) {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = a.ping(ctx) // It is tried again when it is due again.
		}
	}
}

// serve does what the control channel says until it ends.
func (a *Agent) serve(ctx context.Context, l *link, wait *sync.WaitGroup) {
	a.mu.Lock()
	a.control = l
	a.mu.Unlock()
	l.serve(ctx, func(m channelmessage.Message) {
		switch m.Kind {
		case "interactive_shell":
			start, err := readStart(m.Body)
			if err != nil {
				return // What cannot be read is dropped.
			}
			// A session outlives the control channel.
			session, cancel := context.WithCancel(ctx)
			a.mu.Lock()
			a.sessions[start.SessionId] = cancel
			a.mu.Unlock()
			wait.Go(func() { a.session(session, start) })
		case "channel_closed":
			var closed struct{ SessionId string } //nolint:revive,staticcheck // The name is AWS's.
			if json.Unmarshal(m.Body, &closed) == nil {
				a.stopSession(closed.SessionId)
			}
		}
	})
}

// stopSession ends a session that runs.
func (a *Agent) stopSession(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cancel, ok := a.sessions[id]; ok {
		cancel()
		delete(a.sessions, id)
	}
}

// complete says to the service that a session has ended here.
func (a *Agent) complete(session, status, output string) {
	body, err := json.Marshal(map[string]any{
		"SchemaVersion": 1, "TaskId": session, "Topic": "aws.ssm.taskComplete", "FinalTaskStatus": status, "InstanceId": a.identity.Node, "Output": output,
	})
	if err != nil {
		panic(fmt.Sprintf("text and numbers: %v", err))
	}
	a.mu.Lock()
	l := a.control
	a.mu.Unlock()
	l.write(channelmessage.Message{Kind: "agent_task_complete", ID: channelmessage.NewID(), Body: body}.Encode(time.Now()))
}
