package principal

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// declarations remember when this process first saw the present record of each
// object. The zero value is empty.
type declarations struct {
	mu   sync.Mutex
	seen map[types.UID]declaration
}

type declaration struct {
	serial int64
	at     time.Time
}

// note remembers the record of an object that is seen now.
func (d *declarations) note(access *v1alpha1.SessionAccess, now time.Time) {
	record := access.Status.Applied
	if record == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.seen[access.UID]; ok && known.serial == record.Serial {
		return
	}
	if d.seen == nil {
		d.seen = map[types.UID]declaration{}
	}
	d.seen[access.UID] = declaration{record.Serial, now}
}

func (d *declarations) forget(uid types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, uid)
}

// before reports whether an object's record of a serial was seen before a time. One
// that was never seen was not.
func (d *declarations) before(uid types.UID, serial int64, t time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.seen[uid]
	return ok && known.serial == serial && known.at.Before(t)
}
