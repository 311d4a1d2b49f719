package invariants_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// seenLate is the resource that the manager sees late.
const seenLate = "sessionaccesses"

func TestAManagerThatActsByAStaleViewBreaksNothing(t *testing.T) { partitioned(t, stale) }

// stale has a manager act for a while by SessionAccesses that are no more as it has
// them, because of documents, accounts and AWS, which it does see: first while
// watches say nothing, then while the list does not come.
func stale(ctx context.Context, h *invariants.Harness, partition *invariants.WatchPartition) error {
	a := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
	gone := invariants.Access(invariants.Namespace, "gone", grant(people(user("user02")), pc02))
	if err := declare(ctx, h, h.Account(), a, gone, invariants.Document("proof-shell", "date")); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return err
	}
	if err := openSessions(h); err != nil {
		return err
	}
	partition.Start(seenLate)
	if err := declare(ctx, h,
		invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc01)),
		invariants.Access(invariants.Namespace, "new", grant(people(user("user01")), pc02)),
	); err != nil {
		return err
	}
	if err := h.Delete(ctx, gone); err != nil {
		return err
	}
	if err := actByStaleView(ctx, h, "id"); err != nil {
		return err
	}
	partition.DropWatches()
	if err := actByStaleView(ctx, h, "uptime"); err != nil {
		return err
	}
	partition.End()
	return h.AwaitQuiescence(ctx)
}

// actByStaleView detaches what user01 is granted by an object that the manager
// has an old state of, and changes a document that the manager sees. It returns
// when the manager has attached the one again and written the other.
func actByStaleView(ctx context.Context, h *invariants.Harness, command string) error {
	seen := h.LastCall()
	if err := takeAway(h, "user01"); err != nil {
		return err
	}
	if err := declare(ctx, h, invariants.Document("proof-shell", command)); err != nil {
		return err
	}
	if err := h.Resync(ctx); err != nil {
		return err
	}
	for _, operation := range []string{"AttachUserPolicy", "UpdateDocument"} {
		if _, err := h.WaitCall(ctx, seen, func(c calls.Call) bool { return c.Operation == operation }); err != nil {
			return err
		}
	}
	return nil
}

// takeAway detaches from a user what the operator has attached.
func takeAway(h *invariants.Harness, name string) error {
	directory := h.Emulator.Account(h.Domain.AccountID).IAM
	holder, ok := directory.Latest().Entity(iam.User, name)
	if !ok {
		return fmt.Errorf("there is no user %s", name)
	}
	for _, arn := range holder.Attached {
		if strings.Contains(arn, ":policy"+ownPath) {
			if err := directory.Detach(iam.User, name, arn); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestAnObjectThatComesAgainUnseenBreaksNothing(t *testing.T) { partitioned(t, comesAgain) }

// comesAgain hides from a manager that the object whose finalizer it has just
// removed is gone, and that there is another one of the same name.
func comesAgain(ctx context.Context, h *invariants.Harness, partition *invariants.WatchPartition) error {
	spec := grant(people(user("user01")), pc01)
	spec.OnRevoke = v1alpha1.RevokeLeaveSessions // It is removed at once.
	first := invariants.Access(invariants.Namespace, "a", spec)
	if err := declare(ctx, h, h.Account(), first, invariants.Document("proof-shell", "date")); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return err
	}
	partition.StartBefore(func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/"+seenLate+"/a")
	}, seenLate)
	if err := h.Delete(ctx, first); err != nil {
		return err
	}
	if err := testenv.WaitGone(ctx, h.Client, first); err != nil {
		return err
	}
	if !partition.IsActive() {
		return errors.New("the manager has taken the finalizer off by a write that this test does not know")
	}
	second := invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc02))
	if err := declare(ctx, h, second, invariants.Document("proof-shell", "id")); err != nil {
		return err
	}
	if err := h.Resync(ctx); err != nil {
		return err
	}
	partition.DropWatches()
	if err := h.Resync(ctx); err != nil {
		return err
	}
	partition.End()
	return h.AwaitQuiescence(ctx)
}
