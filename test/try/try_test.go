// Package try_test applies config/try to an empty control plane, runs what its Deployments
// would run, and sees the first sample granted.
package try_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane"
)

const namespace = "ssm-access-system"

// world is a control plane that config/try was applied to.
type world struct {
	*testing.T
	client.WithWatch
	plane *controlplane.ControlPlane
}

func TestSampleIsGrantedWithoutAnAccount(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.kubectl("apply", "--server-side", "-k", "../../config/try")
	w.kubectl("apply", "-k", "../../config/samples/s1")

	credentials := w.environment("ssm-access-aws")
	url := w.runEmulator()
	if host := "http://aws-emulator." + namespace + ".svc:4566"; credentials["AWS_ENDPOINT_URL"] != host {
		t.Errorf("the manager calls %s, and the emulator's Service is %s", credentials["AWS_ENDPOINT_URL"], host)
	}
	credentials["AWS_ENDPOINT_URL"] = url
	w.runManager(credentials)

	for _, name := range []string{"user01-pc01", "user02-pc02"} {
		access := &v1alpha1.SessionAccess{}
		access.Namespace, access.Name = "team-a", name
		if _, err := testenv.WaitReady(t.Context(), w.WithWatch, access); err != nil {
			t.Error(err)
		}
	}
}

func start(t *testing.T) world {
	t.Helper()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.NewWithWatch(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return world{T: t, WithWatch: c, plane: plane}
}

func (w world) kubectl(args ...string) {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), w.plane.KubectlPath, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+w.plane.KubeconfigPath)
	if out, err := cmd.CombinedOutput(); err != nil {
		w.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w world) get(name string, into client.Object) {
	w.Helper()
	if err := w.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into); err != nil {
		w.Fatal(err)
	}
}

// environment is what a Secret holds.
func (w world) environment(secret string) map[string]string {
	w.Helper()
	var held corev1.Secret
	w.get(secret, &held)
	values := map[string]string{}
	for name, value := range held.Data {
		values[name] = string(value)
	}
	return values
}

// runEmulator runs the container of the emulator's Deployment, checks that its Service
// leads to it, and returns its address in this process's network.
func (w world) runEmulator() string {
	w.Helper()
	var deployment appsv1.Deployment
	var service corev1.Service
	w.get("aws-emulator", &deployment)
	w.get("aws-emulator", &service)
	pod := deployment.Spec.Template
	container, port := pod.Spec.Containers[0], service.Spec.Ports[0]
	for key, value := range service.Spec.Selector {
		if pod.Labels[key] != value {
			w.Errorf("the Service selects %s=%s, which the pod has not", key, value)
		}
	}
	if listen := fmt.Sprintf("--listen=:%d", container.Ports[0].ContainerPort); port.Port != 4566 || port.TargetPort.StrVal != container.Ports[0].Name || container.Args[0] != listen {
		w.Errorf("the Service leads to %v, and the emulator has %v", port, container.Args)
	}
	binary := filepath.Join(w.TempDir(), "aws-emulator")
	build := exec.CommandContext(w.Context(), "go", "build", "-C", "../..", "-o", binary, "./cmd/aws-emulator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	cmd := w.command(binary, append(slices.Clone(container.Args), "--listen=127.0.0.1:0")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	w.run(cmd)
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.Fatalf("the emulator prints no address: %v", err)
	}
	return strings.TrimSpace(url)
}

// runManager runs the container of the manager's Deployment as its service account.
func (w world) runManager(credentials map[string]string) {
	w.Helper()
	var deployment appsv1.Deployment
	w.get("ssm-access-manager", &deployment)
	pod := deployment.Spec.Template.Spec
	if secret := pod.Containers[0].EnvFrom[0].SecretRef.Name; secret != "ssm-access-aws" {
		w.Errorf("the manager reads Secret %s", secret)
	}
	binary := filepath.Join(w.TempDir(), "manager")
	if err := testenv.BuildManager(w.Context(), binary); err != nil {
		w.Fatal(err)
	}
	cmd := w.command(binary, append(slices.Clone(pod.Containers[0].Args),
		"--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0", "--leader-election-namespace="+namespace)...)
	cmd.Env = []string{"KUBECONFIG=" + w.kubeconfig(pod.ServiceAccountName), "HOME=" + w.TempDir()}
	for name, value := range credentials {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	w.run(cmd)
}

// kubeconfig writes a file with which a process is a service account.
func (w world) kubeconfig(account string) string {
	w.Helper()
	config, err := clientcmd.LoadFromFile(w.plane.KubeconfigPath)
	if err != nil {
		w.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + namespace + ":" + account
		user.ImpersonateGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	}
	path := filepath.Join(w.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		w.Fatal(err)
	}
	return path
}

// command is one that ends in order when the test does.
func (w world) command(binary string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(w.Context()), binary, args...)
	cmd.Stderr = io.Discard
	return cmd
}

func (w world) run(cmd *exec.Cmd) {
	w.Helper()
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			w.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			w.Errorf("%s ended with %v", filepath.Base(cmd.Path), err)
		}
	})
}
