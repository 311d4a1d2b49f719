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

func TestAManagerThatActsByAStaleViewBreaksNothing(t *testing.T) { veiled(t, stale) }

// stale has a manager act for a while by SessionAccesses that are no more as it has
// them, because of documents, accounts and AWS, which it does see: first while
// watches say nothing, then while the list does not come.
func stale(ctx context.Context, b *invariants.Bed, veil *invariants.Veil) error {
	a := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
	gone := invariants.Access(invariants.Namespace, "gone", grant(people(user("user02")), pc02))
	if err := declare(ctx, b, b.Account(), a, gone, invariants.Document("proof-shell", "date")); err != nil {
		return err
	}
	if err := b.Rest(ctx); err != nil {
		return err
	}
	if err := openSessions(b); err != nil {
		return err
	}
	veil.Drop(seenLate)
	if err := declare(ctx, b,
		invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc01)),
		invariants.Access(invariants.Namespace, "new", grant(people(user("user01")), pc02)),
	); err != nil {
		return err
	}
	if err := b.Delete(ctx, gone); err != nil {
		return err
	}
	if err := actByStaleView(ctx, b, "id"); err != nil {
		return err
	}
	veil.Lose()
	if err := actByStaleView(ctx, b, "uptime"); err != nil {
		return err
	}
	veil.Lift()
	return b.Rest(ctx)
}

// actByStaleView detaches what user01 is granted by an object that the manager
// has an old state of, and changes a document that the manager sees. It returns
// when the manager has attached the one again and written the other.
func actByStaleView(ctx context.Context, b *invariants.Bed, command string) error {
	seen := b.LastCall()
	if err := takeAway(b, "user01"); err != nil {
		return err
	}
	if err := declare(ctx, b, invariants.Document("proof-shell", command)); err != nil {
		return err
	}
	if err := b.Resync(ctx); err != nil {
		return err
	}
	for _, operation := range []string{"AttachUserPolicy", "UpdateDocument"} {
		if _, err := b.WaitCall(ctx, seen, func(c calls.Call) bool { return c.Operation == operation }); err != nil {
			return err
		}
	}
	return nil
}

// takeAway detaches from a user what the operator has attached.
func takeAway(b *invariants.Bed, name string) error {
	directory := b.Emulator.Account(b.Universe.AccountID).IAM
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

func TestAnObjectThatComesAgainUnseenBreaksNothing(t *testing.T) { veiled(t, comesAgain) }

// comesAgain hides from a manager that the object whose finalizer it has just
// removed is gone, and that there is another one of the same name.
func comesAgain(ctx context.Context, b *invariants.Bed, veil *invariants.Veil) error {
	spec := grant(people(user("user01")), pc01)
	spec.OnRevoke = v1alpha1.RevokeLeaveSessions // It is removed at once.
	first := invariants.Access(invariants.Namespace, "a", spec)
	if err := declare(ctx, b, b.Account(), first, invariants.Document("proof-shell", "date")); err != nil {
		return err
	}
	if err := b.Rest(ctx); err != nil {
		return err
	}
	veil.DropBefore(func(r *http.Request) bool {
		return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/"+seenLate+"/a")
	}, seenLate)
	if err := b.Delete(ctx, first); err != nil {
		return err
	}
	if err := testenv.WaitGone(ctx, b.Client, first); err != nil {
		return err
	}
	if !veil.Down() {
		return errors.New("the manager has taken the finalizer off by a write that this test does not know")
	}
	second := invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc02))
	if err := declare(ctx, b, second, invariants.Document("proof-shell", "id")); err != nil {
		return err
	}
	if err := b.Resync(ctx); err != nil {
		return err
	}
	veil.Lose()
	if err := b.Resync(ctx); err != nil {
		return err
	}
	veil.Lift()
	return b.Rest(ctx)
}
