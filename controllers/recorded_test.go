package controllers_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// record writes what is found instead of comparing it:
//
//	go test ./controllers -run WhatWasRecorded -record
var record = flag.Bool("record", false, "write testdata/recorded instead of comparing with it")

// What differs from run to run.
var volatile = []struct {
	pattern *regexp.Regexp
	is      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`"?resourceVersion"?: .*`), "resourceVersion: N"},
}

func TestTheSamplesDoWhatWasRecorded(t *testing.T) {
	for _, sample := range []string{"s1", "s4", "s5", "s7"} {
		t.Run(sample, func(t *testing.T) {
			fixture := fixtures.S7()
			fixture.AddMachines(fixtures.S1())
			w := worldOf(t, testenv.Options{Fixture: fixture})
			w.Manager(t, testenv.ManagerOptions{})
			got := strings.Join(w.playSample(filepath.Join(w.Checkout, "config", "samples", sample)), "\n") + "\n"
			file := filepath.Join("testdata", "recorded", sample+".txt")
			if *record {
				w.Must(os.WriteFile(file, []byte(got), 0o600))
				return
			}
			want, err := os.ReadFile(file)
			w.Must(err)
			scenario.ExpectEqual(t, file, strings.Split(got, "\n"), strings.Split(string(want), "\n"))
		})
	}
}

// playSample applies a sample and deletes it again. It returns the writes to AWS
// of both, and the statuses in between.
func (w world) playSample(directory string) (lines []string) {
	w.T.Helper()
	w.kubectl("apply", "-k", directory)
	objects := w.declared(directory)
	lines = append(lines, "# Statuses")
	for _, obj := range objects {
		_, err := testenv.WaitReady(w.T.Context(), w.Client, obj)
		w.Must(err)
	}
	for _, obj := range objects {
		if grant, ok := obj.(*v1alpha1.SessionAccess); ok {
			w.AwaitNodesChecked(grant)
		}
		w.Must(w.Client.Get(w.T.Context(), scenario.KeyOf(obj), obj))
		lines = append(lines, w.statusLines(obj)...)
	}
	lines = append(append(lines, "# Writes to AWS while it is applied"), w.writeLines(0)...)
	from := w.LastCall()
	for _, obj := range objects {
		w.Must(w.Client.Delete(w.T.Context(), obj))
	}
	for _, obj := range objects {
		w.goes(obj)
	}
	return append(append(lines, "# Writes to AWS while it is deleted"), w.writeLines(from)...)
}

// goes waits until an object is gone, and lets the time pass for which it waits.
func (w world) goes(obj client.Object) {
	w.T.Helper()
	for range 60 {
		ctx, cancel := context.WithTimeout(w.T.Context(), 2*time.Second)
		err := testenv.WaitGone(ctx, w.Client, obj)
		cancel()
		if err == nil {
			return
		}
		w.Advance(scenario.Window, obj)
	}
	w.T.Fatalf("%T %s does not go", obj, obj.GetName())
}

// kubectl runs as the cluster's administrator.
func (w world) kubectl(args ...string) {
	w.T.Helper()
	cmd := exec.CommandContext(w.T.Context(), w.KubectlPath, append([]string{"--kubeconfig", w.KubeconfigPath}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.T.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// declared are the objects of the project's kinds in a sample's directory and in the one
// that the samples share, those that others refer to last.
func (w world) declared(directory string) []client.Object {
	w.T.Helper()
	own, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	w.Must(err)
	shared, err := filepath.Glob(filepath.Join(directory, "..", "account", "*.yaml"))
	w.Must(err)
	var objects []client.Object
	for _, file := range slices.Concat(own, shared) {
		text, err := os.ReadFile(file)
		w.Must(err)
		obj, kind, err := serializer.NewCodecFactory(w.Client.Scheme()).UniversalDeserializer().Decode(text, nil, nil)
		if kind != nil && kind.Group == v1alpha1.GroupVersion.Group {
			w.Must(err)
			obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // As the client returns it.
			objects = append(objects, obj.(client.Object))
		}
	}
	slices.SortStableFunc(objects, func(a, b client.Object) int { return rank(a) - rank(b) })
	return objects
}

func rank(obj client.Object) int {
	switch obj.(type) {
	case *v1alpha1.SessionAccess:
		return 0
	case *v1alpha1.AWSAccount:
		return 2
	default:
		return 1
	}
}

// statusLines are an object's status without what differs from run to run.
func (w world) statusLines(obj client.Object) []string {
	w.T.Helper()
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	w.Must(err)
	status, _, err := unstructured.NestedMap(object, "status")
	w.Must(err)
	if _, ok := obj.(*v1alpha1.AWSAccount); ok {
		delete(status, "policies") // They are counted some seconds after the last change.
	}
	text, err := yaml.Marshal(status)
	w.Must(err)
	lines := []string{fmt.Sprintf("## %T %s", obj, obj.GetName())}
	return append(lines, strings.Split(strings.TrimSpace(stable(string(text))), "\n")...)
}

// writeLines are the calls after number n that changed AWS, each with how often
// it came: two principals are written in any order.
func (w world) writeLines(n int) []string {
	w.T.Helper()
	times := map[string]int{}
	for _, call := range w.Emulator.CallLog(n) {
		// What may be there still is deleted once more without asking.
		if !call.Write || call.Service == "sts" || call.Code == "NoSuchEntity" {
			continue
		}
		line := call.Action()
		for _, name := range slices.Sorted(maps.Keys(call.Parameters)) {
			line += " " + name + "=" + stable(call.Parameters[name])
		}
		if call.Code != "" {
			line += " -> " + call.Code
		}
		times[line]++
	}
	var lines []string
	for _, line := range slices.Sorted(maps.Keys(times)) {
		lines = append(lines, fmt.Sprintf("%d %s", times[line], line))
	}
	return lines
}

func stable(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.is)
	}
	return text
}
