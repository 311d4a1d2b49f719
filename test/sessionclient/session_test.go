package sessionclient_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

func TestShellAnswersInASession(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	x := w.open(w.options(ssm.StartSessionInput{}))
	x.Types("echo hello there", "hello there")
	x.Types("id -un", "ssm-user")
	x.Types("nonsense", "sh: nonsense: command not found")
	if kind, err := x.Type(t.Context()); kind != "Standard_Stream" || err != nil {
		t.Errorf("the session's type is %q (%v)", kind, err)
	}
}

func TestTerminalHasTheSizeOfTheClients(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	x := w.open(w.options(ssm.StartSessionInput{}))
	x.Types("stty size", "24 80")
	if err := x.Resize(132, 50); err != nil {
		t.Fatal(err)
	}
	x.Types("stty size", "50 132")
}

func TestExitEndsTheSessionInAWS(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	x := w.open(o)
	if _, err := io.WriteString(x, "exit\r"); err != nil {
		t.Fatal(err)
	}
	if reason := x.WaitClosed(limit); reason != "" {
		t.Errorf("the session ends with %q", reason)
	}
	if _, err := o.Resume(t.Context()); err == nil {
		t.Error("the session can be resumed")
	}
}

func TestTerminatedSessionClosesTheTerminal(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	x := w.open(o)
	x.Types("echo hello", "hello")
	if _, err := w.ssm(admin).TerminateSession(t.Context(), &ssm.TerminateSessionInput{SessionId: &o.SessionID}); err != nil {
		t.Fatal(err)
	}
	x.WaitClosed(2 * time.Second)
	if _, err := io.WriteString(x, "echo more\r"); err == nil {
		t.Error("the session takes input after its end")
	}
}

func TestSessionGoesOnAfterItsConnectionWasCut(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	x := w.open(o)
	for i := range 3 {
		x.Types("echo before "+strconv.Itoa(i), "before "+strconv.Itoa(i))
		if !w.CutSession(o.SessionID) {
			t.Fatal("there is no connection to cut")
		}
		x.Types("echo after "+strconv.Itoa(i), "after "+strconv.Itoa(i))
	}
}

func TestSessionThatEndsWhileCutCannotBeResumed(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	resume := o.Resume
	o.Resume = func(ctx context.Context) (string, error) {
		if _, err := w.ssm(admin).TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: &o.SessionID}); err != nil {
			return "", err
		}
		return resume(ctx)
	}
	x := w.open(o)
	x.Types("echo hello", "hello")
	w.CutSession(o.SessionID)
	select {
	case <-x.Done():
	case <-time.After(limit):
		t.Fatal("the client does not stop trying")
	}
	if _, err := io.ReadAll(x); err == nil || !strings.Contains(err.Error(), "DoesNotExist") {
		t.Errorf("the client says %v", err)
	}
}

func TestTokenOpensAChannelOnce(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	o.Resume = nil
	x := w.open(o)
	x.Types("echo hello", "hello")
	wrong := o
	wrong.Token = "no token"
	for _, again := range []sessionclient.Options{o, wrong} {
		y := w.open(again)
		if out, err := io.ReadAll(y); len(out) > 0 || err == nil {
			t.Errorf("the token opens the channel again: %q", out)
		}
	}
	x.Types("echo still here", "still here")
}

func TestRequestForTheChannelIsJudgedByIAM(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	for name, c := range map[string]aws.Credentials{
		"a user without ssmmessages:OpenDataChannel": {AccessKeyID: "AKIAEMULATEDUSER0100", SecretAccessKey: "emulated-secret-of-user01"},
		"a wrong signature":                          {AccessKeyID: admin.AccessKeyID, SecretAccessKey: "wrong"},
	} {
		other := o
		other.Sign = sessionclient.Signer(t.Context(), w.config(c))
		if _, err := sessionclient.Open(t.Context(), other); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s gets %v", name, err)
		}
	}
	w.open(o).Types("echo hello", "hello")
	if n := w.Calls().ByAction["ssmmessages:OpenDataChannel"]; n != 3 {
		t.Errorf("%d calls are counted", n)
	}
}

func TestTokenAloneAuthenticatesOldClients(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	o := w.options(ssm.StartSessionInput{})
	o.Sign = nil
	w.open(o).Types("echo hello", "hello")
}

func TestKeyOfTheDocumentEncryptsTheSession(t *testing.T) {
	w := newWorld(t, fixtures.S7())
	document := fmt.Sprintf(`{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"kmsKeyId":%q}}`, fixtures.S7Key)
	_, err := w.ssm(admin).CreateDocument(t.Context(), &ssm.CreateDocumentInput{Name: aws.String("Encrypted"), Content: &document, DocumentType: "Session"})
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(ssm.StartSessionInput{Target: aws.String(fixtures.S7Node), DocumentName: aws.String("Encrypted")})
	x := w.open(o)
	x.Types("echo hello", "hello")
	w.CutSession(o.SessionID)
	x.Types("echo again", "again")

	without := w.options(ssm.StartSessionInput{Target: aws.String(fixtures.S7Node), DocumentName: aws.String("Encrypted")})
	without.DataKey = nil
	if reason := w.open(without).WaitClosed(limit); !strings.Contains(reason, "KMSEncryption failed") {
		t.Errorf("a client without a key is sent away with %q", reason)
	}
}

func TestCommandOfADocumentRuns(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	x := w.open(w.options(ssm.StartSessionInput{
		DocumentName: aws.String("AWS-StartNonInteractiveCommand"), Parameters: map[string][]string{"command": {"echo from a document"}},
	}))
	out, _ := io.ReadAll(x)
	if string(out) != "from a document\r\n" {
		t.Errorf("the command prints %q", out)
	}
	x.WaitClosed(limit)
}

// exchange sends data to a server that sends it back, and reads it.
func exchange(t *testing.T, c io.ReadWriter, size int) {
	t.Helper()
	data := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := c.Write(data); err != nil {
			t.Error(err)
		}
	})
	got := make([]byte, len(data))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes do not come back as they were sent (%v)", size, err)
	}
	wait.Wait()
}

func TestPortsCarryConnections(t *testing.T) {
	for version, several := range map[string]bool{"3.0.196.0": false, "3.0.197.0": true, "3.3.3050.0": true} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, fixtures.S1())
			w.setAgent(version)
			o := w.options(ssm.StartSessionInput{
				DocumentName: aws.String("AWS-StartPortForwardingSession"), Parameters: map[string][]string{"portNumber": {"5432"}},
			})
			x := w.open(o)
			port, err := x.Port(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			first, err := port.Connect()
			if err != nil {
				t.Fatal(err)
			}
			exchange(t, first, 300_000)
			second, err := port.Connect()
			if (err == nil) != several {
				t.Fatalf("the second connection gets %v", err)
			}
			w.CutSession(o.SessionID)
			exchange(t, first, 100_000)
			if several {
				exchange(t, second, 100_000)
			}
			if _, err := w.ssm(admin).TerminateSession(t.Context(), &ssm.TerminateSessionInput{SessionId: &o.SessionID}); err != nil {
				t.Fatal(err)
			}
			x.WaitClosed(2 * time.Second)
		})
	}
}

var (
	loadSessions = flag.Int("load-sessions", 20, "how many sessions the load test has at the same time")
	loadBytes    = flag.Int("load-bytes", 300_000, "how many bytes each of them prints")
)

// lastOf is the number that seq counts to for about this many bytes of output.
func lastOf(size int) int {
	n, written := 0, 0
	for written < size {
		n++
		written += len(strconv.Itoa(n)) + 2
	}
	return n
}

func TestManySessionsLoseNothing(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	last := lastOf(*loadBytes)
	sum, total := sha256.New(), 0
	for i := range last {
		n, _ := fmt.Fprintf(sum, "%d\r\n", i+1)
		total += n
	}
	want := sum.Sum(nil)
	heap := watchHeap(t)
	began := time.Now()
	var wait sync.WaitGroup
	for i := range *loadSessions {
		o := w.options(ssm.StartSessionInput{})
		wait.Go(func() {
			x, err := sessionclient.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = x.Close() }() // What it lost is judged below.
			command := "seq " + strconv.Itoa(last)
			if _, err := io.WriteString(x, command+"\r"); err != nil {
				t.Error(err)
			}
			if _, err := io.CopyN(io.Discard, x, int64(len("$ "+command+"\r\n"))); err != nil {
				t.Error(err)
			}
			if i%4 == 0 {
				w.CutSession(o.SessionID)
			}
			got := sha256.New()
			if _, err := io.CopyN(got, x, int64(total)); err != nil || !bytes.Equal(got.Sum(nil), want) {
				t.Errorf("session %d loses something (%v)", i, err)
			}
		})
	}
	wait.Wait()
	t.Logf("%d sessions of %d bytes in %v, %d MB of heap at most", *loadSessions, total, time.Since(began).Round(time.Millisecond), heap()>>20)
	// Both ends of a session hold less than 2 MB, however much it prints.
	if most := uint64(64+2**loadSessions) << 20; heap() > most {
		t.Errorf("the heap has grown to %d MB", heap()>>20)
	}
}

// watchHeap notes the largest heap until it is asked.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	var mu sync.Mutex
	var most uint64
	note := func() {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		mu.Lock()
		defer mu.Unlock()
		most = max(most, stats.HeapAlloc)
	}
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				note()
			}
		}
	})
	t.Cleanup(func() { close(done); wait.Wait() })
	return func() uint64 {
		note()
		mu.Lock()
		defer mu.Unlock()
		return most
	}
}
