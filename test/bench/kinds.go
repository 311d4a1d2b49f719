package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// serviceRole is the fixture's role that Systems Manager may give to machines.
const serviceRole = "SSMServiceRole"

// kinds are objects of the other kinds.
type kinds struct {
	documents, activations int
	// each is how many machines register with an activation.
	each int
}

// Calls of one resync: lists, in pages of 50. Nodes are listed twice: those of
// activations, and those that carry the operator's tag.
func (k kinds) documentCalls() float64 { return pages(k.documents) }

func (k kinds) activationCalls() float64 {
	return pages(k.activations) + 2*pages(k.activations*k.each)
}

func pages(n int) float64 { return float64((n + 49) / 50) }

// steady counts what a resync takes that finds all of them in the desired
// state.
func steady(k kinds, l load) row {
	return row{
		name: fmt.Sprintf("resync: %d documents, %d activations with %d nodes", k.documents, k.activations, k.activations*k.each),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.start(l.resyncFlag()); err != nil {
				return err
			}
			if err := w.declareAccount(ctx); err != nil {
				return err
			}
			if err := w.declareDocuments(ctx, k.documents); err != nil {
				return err
			}
			return w.declareActivations(ctx, k.activations, k.each)
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			u, err := l.nextResync(ctx, w)
			if err != nil {
				return used{}, nil, err
			}
			return u, []figure{
				within("calls for the documents", u.count(ofDocuments), k.documentCalls()),
				within("calls for the activations", u.count(ofActivations), k.activationCalls()),
			}, nil
		},
		until: resyncUntil,
		most:  bounds{calls: unbounded, cpu: unbounded, memory: unbounded},
	}
}

func ofDocuments(c calls.Call) bool {
	return c.Operation == "ListDocuments" || c.Operation == "DescribeDocument" || c.Operation == "GetDocument" || c.Operation == "DescribeDocumentPermission"
}

func ofActivations(c calls.Call) bool {
	return c.Operation == "DescribeActivations" || c.Operation == "DescribeInstanceInformation" || c.Operation == "ListTagsForResource"
}

// declareDocuments creates SessionDocuments and waits until AWS has them.
func (w *world) declareDocuments(ctx context.Context, n int) error {
	objects := make([]v1alpha1.Object, n)
	for i := range objects {
		objects[i] = &v1alpha1.SessionDocument{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("document-%03d", i), Namespace: namespace},
			Spec: v1alpha1.SessionDocumentSpec{
				AccountRef: v1alpha1.AccountReference{Name: accountName}, Regions: []v1alpha1.Region{v1alpha1.Region(w.env.Region)},
				Inputs: &v1alpha1.SessionInputs{ShellProfile: &v1alpha1.ShellProfile{Linux: "date"}},
			},
		}
	}
	if err := createAll(ctx, w, objects); err != nil {
		return err
	}
	return testenv.WaitCount(ctx, w.env.Client, &v1alpha1.SessionDocument{}, n, func(d *v1alpha1.SessionDocument) bool {
		return testenv.Ready(w.env.Client.Scheme(), d)
	})
}

// declareActivations creates HybridActivations, registers machines with each, and
// waits until the status of each reports them, which is a resync or two later.
func (w *world) declareActivations(ctx context.Context, n, each int) error {
	objects := make([]v1alpha1.Object, n)
	for i := range objects {
		objects[i] = &v1alpha1.HybridActivation{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("sites-%03d", i), Namespace: namespace},
			Spec: v1alpha1.HybridActivationSpec{
				AccountRef: v1alpha1.AccountReference{Name: accountName}, Region: v1alpha1.Region(w.env.Region),
				Role: serviceRole, RegistrationLimit: new(int32(each)),
			},
		}
	}
	if err := createAll(ctx, w, objects); err != nil {
		return err
	}
	wait := func(done func(*v1alpha1.HybridActivation) bool) error {
		return waitCount(ctx, w, &v1alpha1.HybridActivation{}, n, done)
	}
	if err := wait(func(a *v1alpha1.HybridActivation) bool { return a.Status.ActivationID != "" }); err != nil {
		return err
	}
	for _, object := range objects {
		if err := w.registerMachines(ctx, object.(*v1alpha1.HybridActivation).SecretName(), each); err != nil {
			return err
		}
	}
	return wait(func(a *v1alpha1.HybridActivation) bool {
		return a.Status.NodeCount != nil && int(*a.Status.NodeCount) == each
	})
}

// registerMachines registers machines with what a Secret holds.
func (w *world) registerMachines(ctx context.Context, secretName string, n int) error {
	secret := &corev1.Secret{}
	if err := w.env.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: secretName}, secret); err != nil {
		return fmt.Errorf("read the Secret of an activation: %w", err)
	}
	for range n {
		_, err := w.env.Emulator.Register(ssm.Registration{
			ActivationID: string(secret.Data[v1alpha1.SecretKeyID]), ActivationCode: string(secret.Data[v1alpha1.SecretKeyCode]),
		})
		if err != nil {
			return fmt.Errorf("register a machine: %w", err)
		}
	}
	return nil
}
