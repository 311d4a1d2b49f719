package nodeagent

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/channelmessage"
)

const (
	// outputSize is how much output goes into a message.
	outputSize = 1024
	// tick is how often an agent sends output that comes unasked, and what is overdue.
	tick = 20 * time.Millisecond
	// shakeTime is how long the handshake may take, drainTime how long the last output waits
	// for a client.
	shakeTime = 15 * time.Second
	drainTime = 2 * time.Second
)

// session is one session on this node.
type session struct {
	start
	agent   *Agent
	command string

	mu        sync.Mutex
	link      *link
	out       channelmessage.Outgoing
	in        channelmessage.Incoming
	shake     *shake
	program   Program
	overSince time.Time
	failure   error
}

// session runs a session until its program or the context ends, and says so.
func (a *Agent) session(ctx context.Context, s start) {
	x := &session{start: s, agent: a, out: channelmessage.Outgoing{Kind: channelmessage.KindOutput}}
	defer a.stopSession(s.SessionId)
	err := x.run(ctx)
	switch {
	case err != nil:
		a.complete(s.SessionId, "Failed", err.Error())
	case ctx.Err() != nil:
		a.complete(s.SessionId, "Cancelled", "")
	default:
		a.complete(s.SessionId, "Success", "")
	}
}

func (x *session) run(ctx context.Context) (err error) {
	if x.command, err = x.start.command(); err != nil {
		return err
	}
	if err := x.connect(ctx); err != nil {
		return err
	}
	x.begin(ctx)
	defer x.close()
	inner, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	wait.Go(func() { x.stayConnected(inner) })
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if over, err := x.proceed(time.Now()); over {
			return err
		}
	}
}

// connect opens the data channel.
func (x *session) connect(ctx context.Context) error {
	client, path := channelmessage.TextOf(channelmessage.NewID()), "/v1/data-channel/"+x.SessionId
	token, err := x.agent.createChannel(ctx, path, map[string]string{"ClientId": client})
	if err != nil {
		return err
	}
	l, err := x.agent.dial(ctx, path+"?role=publish_subscribe", map[string]string{
		"TokenValue": token, "ClientInstanceId": x.agent.identity.Node, "ClientId": client,
	})
	if err != nil {
		return err
	}
	state, err := json.Marshal(map[string]any{"SchemaVersion": 1, "SessionState": "Connected", "SessionId": x.SessionId})
	if err != nil {
		return fmt.Errorf("write the session's state: %w", err)
	}
	l.write(channelmessage.Message{Kind: "agent_session_state", ID: channelmessage.NewID(), Body: state}.Encode(time.Now()))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.link = l
	return nil
}

// stayConnected serves the channel, and opens it again when it is lost.
func (x *session) stayConnected(ctx context.Context) {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		x.mu.Lock()
		l := x.link
		x.mu.Unlock()
		l.serve(ctx, func(m channelmessage.Message) { l.write(x.receive(ctx, m)...) })
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		_ = x.connect(ctx) // Else the old one fails again, and the pause is longer.
	}
}

// begin starts the handshake, or the shell where there is none.
func (x *session) begin(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.DocumentContent.SessionType == shell && x.DocumentContent.Inputs.KMSKeyId == "" {
		x.program = x.agent.options.Run(x.command)
		return
	}
	x.shake = newShake(ctx, x.agent, x.start)
	x.send(time.Now(), channelmessage.ContentHandshake, x.shake.request())
}

// send numbers a message and sends it. The mutex is held.
func (x *session) send(now time.Time, content uint32, body []byte) {
	x.link.write(x.out.Add(now, content, body))
}

// receive takes a message of the client and returns what acknowledges it.
func (x *session) receive(_ context.Context, m channelmessage.Message) [][]byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	switch m.Kind {
	case channelmessage.KindAcknowledge:
		x.out.Acknowledged(m.Body)
	case channelmessage.KindInput:
		if x.program != nil && x.program.Full() {
			return nil // The client sends it again.
		}
		ready, kept := x.in.Take(m)
		for _, m := range ready {
			x.take(now, m)
		}
		if kept {
			return [][]byte{channelmessage.ReceiptFor(m, now)}
		}
	case channelmessage.KindClosed:
		x.agent.stopSession(x.SessionId)
	}
	return nil
}

// take takes a message in its order. The mutex is held.
func (x *session) take(now time.Time, m channelmessage.Message) {
	switch {
	case x.program == nil:
		if x.shake == nil {
			return
		}
		content, body, err := x.shake.take(m)
		if err != nil {
			x.failure = err
			return
		}
		if body != nil {
			x.send(now, content, body)
		}
		if content == channelmessage.ContentHandshakeDone {
			x.program = x.agent.options.Run(x.command)
		}
	case m.Content == channelmessage.ContentData:
		data, err := x.shake.decrypt(m.Body)
		if err == nil {
			x.program.Input(data)
		}
	case m.Content == channelmessage.ContentSize:
		var size struct{ Cols, Rows int }
		if json.Unmarshal(m.Body, &size) == nil {
			x.program.Resize(size.Cols, size.Rows)
		}
	case m.Content == channelmessage.ContentFlag && len(m.Body) == 4 && m.Body[3] == byte(channelmessage.FlagTerminate):
		x.program.Close()
	}
}

// proceed sends output for which there is room, and what is overdue. It reports whether
// the session is over here.
func (x *session) proceed(now time.Time) (over bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.link.write(x.out.Again(now, now.Add(-channelmessage.Patience))...)
	if x.failure != nil {
		return true, x.failure
	}
	if x.program == nil {
		if x.shake.overdue(now) {
			return true, errShakeTime
		}
		return false, nil
	}
	for !x.out.Full() {
		data := x.program.Output(outputSize)
		if len(data) == 0 {
			break
		}
		x.send(now, channelmessage.ContentData, x.shake.encrypt(data))
	}
	if !x.program.Ended() {
		return false, nil
	}
	if x.overSince.IsZero() {
		x.overSince = now
	}
	return x.out.Idle() || now.Sub(x.overSince) > drainTime, nil
}

func (x *session) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.program != nil {
		x.program.Close()
	}
}
