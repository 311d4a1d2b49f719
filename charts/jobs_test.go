package charts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// jobs runs what the Jobs of a namespace would run: no Job runs on a control plane without
// nodes.
type jobs struct {
	client  client.WithWatch
	manager string // the executable file that is the image's entrypoint
	config  string // the administrator's kubeconfig
	dir     string
	printed chan string // what the last command printed
}

// start runs them until the test ends.
func (j *jobs) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	watcher, err := j.client.Watch(ctx, &batchv1.JobList{}, client.InNamespace(namespace))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for event := range watcher.ResultChan() {
			if job, ok := event.Object.(*batchv1.Job); ok && event.Type == watch.Added {
				if err := j.execute(ctx, job); err != nil {
					ended <- err
					return
				}
			}
		}
		ended <- nil
	}()
	t.Cleanup(func() {
		watcher.Stop()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// execute runs the command of a Job as its service account, and sets its status.
func (j *jobs) execute(ctx context.Context, job *batchv1.Job) error {
	pod := job.Spec.Template.Spec
	config, err := j.as(pod.ServiceAccountName)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, j.manager, pod.Containers[0].Args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+config)
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("run the command of Job %s: %w", job.Name, err)
	}
	now := metav1.Now()
	job.Status.StartTime = &now
	condition := func(kind batchv1.JobConditionType) {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: "Test", LastTransitionTime: now, LastProbeTime: now,
		})
	}
	if err == nil {
		job.Status.Succeeded, job.Status.CompletionTime = 1, &now
		condition(batchv1.JobSuccessCriteriaMet)
		condition(batchv1.JobComplete)
	} else {
		job.Status.Failed = 1
		condition(batchv1.JobFailureTarget)
		condition(batchv1.JobFailed)
	}
	j.printed <- string(out)
	if err := j.client.Status().Update(ctx, job); err != nil {
		return fmt.Errorf("set the status of Job %s: %w", job.Name, err)
	}
	return nil
}

// as writes a kubeconfig with which a command is a service account of the namespace.
func (j *jobs) as(account string) (string, error) {
	config, err := clientcmd.LoadFromFile(j.config)
	if err != nil {
		return "", err
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + namespace + ":" + account
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	}
	path := filepath.Join(j.dir, account)
	return path, clientcmd.WriteToFile(*config, path)
}
