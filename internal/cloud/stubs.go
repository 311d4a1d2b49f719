package cloud

import (
	"context"
	"errors"
	"time"
)

type SessionFilter struct{ OwnerARN, Target string }
type Session struct {
	ID, Owner, Target, Document, Status string
	Start                               time.Time
}

func (a *Account) CanListSessions(_ context.Context, region string) error {
	return errors.ErrUnsupported
}
func (a *Account) ActiveSessions(_ context.Context, region string, _ SessionFilter) ([]Session, error) {
	return nil, errors.ErrUnsupported
}
func (a *Account) TerminateSession(_ context.Context, region, id string) error {
	return errors.ErrUnsupported
}
func (a *Account) NodeTags(_ context.Context, region string, ids []string) (map[string]map[string]string, error) {
	return nil, errors.ErrUnsupported
}
