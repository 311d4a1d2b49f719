package testenv_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestManagersRunOneAfterAnother(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	first := env.Manager(t, testenv.ManagerOptions{})
	if err := errors.Join(env.Namespace(t.Context(), "team-a", nil), env.Client.Create(t.Context(), account())); err != nil {
		t.Fatal(err)
	}
	if _, err := testenv.WaitReady(t.Context(), env.Client, account()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Stop(), first.Stop()); err != nil {
		t.Fatal(err)
	}
	if err := env.Client.Create(t.Context(), access("user01-pc01", "user01")); err != nil {
		t.Fatal(err)
	}
	env.Manager(t, testenv.ManagerOptions{})
	if _, err := testenv.WaitReady(t.Context(), env.Client, access("user01-pc01", "user01")); err != nil {
		t.Error(err)
	}
}

func TestManagersOfTwoOwnersRunSideBySide(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	env.Manager(t, testenv.ManagerOptions{})
	env.Manager(t, testenv.ManagerOptions{OwnerID: "ffffffff"})
	if err := errors.Join(
		env.Namespace(t.Context(), "team-a", nil),
		env.Client.Create(t.Context(), account()),
		env.Client.Create(t.Context(), access("user01-pc01", "user01")),
	); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []string{testenv.DefaultOwner, "ffffffff"} {
		if _, err := env.WaitCall(t.Context(), 0, func(c calls.Call) bool {
			return c.Operation == "CreatePolicy" && c.Parameters["Path"] == "/ssm-access/"+owner+"/"
		}); err != nil {
			t.Errorf("owner %s: %v", owner, err)
		}
	}
}

func TestOperatorRunsAsAProcessOfItsOwn(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "manager")
	if err := testenv.BuildManager(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_PROFILE", "a-developer's-own")
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	var log bytes.Buffer
	start := func() *testenv.Process {
		process, err := env.StartProcess(testenv.ProcessOptions{Binary: binary, Log: &log})
		if err != nil {
			t.Fatal(err)
		}
		return process
	}
	killed := start()
	if err := env.Client.Create(t.Context(), account()); err != nil {
		t.Fatal(err)
	}
	if _, err := testenv.WaitReady(t.Context(), env.Client, account()); err != nil {
		t.Fatal(err)
	}
	killed.Kill()
	if err := killed.Stop(); err != nil {
		t.Errorf("a killed process is reported as failed: %v", err)
	}

	last := env.LastCall()
	stopped := start()
	if _, err := env.WaitCall(t.Context(), last, func(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" }); err != nil {
		t.Error(err)
	}
	if err := stopped.Stop(); err != nil {
		t.Error(err)
	}
	<-stopped.Ended()
	if t.Failed() {
		t.Log(log.String())
	}
}

func TestFailingProcessIsReported(t *testing.T) {
	env, err := testenv.Start(t.Context(), testenv.Options{Cluster: cluster})
	if err != nil {
		t.Fatal(err)
	}
	process, err := env.StartProcess(testenv.ProcessOptions{Binary: "/bin/false"})
	if err != nil {
		t.Error(err)
	} else {
		<-process.Ended()
		if err := process.Stop(); err == nil {
			t.Error("a process that failed passes for one that was stopped")
		}
	}
	if err := env.Close(); err == nil {
		t.Error("closing the Env does not tell of a process that failed")
	}
}
