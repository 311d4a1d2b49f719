package cloud

import (
	"maps"
	"time"
)

// AbsentAsOf returns when the newest read began that shows that a principal does
// not exist: a Refresh, or a lookup of it alone. known is false if the principal
// exists, or if nothing was read yet. IAM is eventually consistent: a read can
// miss a principal that was created some seconds before.
func (m *Mirror) AbsentAsOf(p Principal) (began time.Time, known bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	key := p.Key()
	at := max(m.readAt, m.absences[key])
	if at == never || m.principals[key] != nil {
		return time.Time{}, false
	}
	return m.timeOf(at), true
}

// lookedUp notes what a point read of a principal found that began at a time.
func (m *Mirror) lookedUp(p Principal, found bool, begun instant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found {
		delete(m.absences, p.Key())
		return
	}
	m.absences[p.Key()] = begun
}

// forgetAbsences drops the absences that a bulk read, begun at a given time,
// shows by itself. The caller holds mu.
func (m *Mirror) forgetAbsences(begun instant) {
	maps.DeleteFunc(m.absences, func(_ string, at instant) bool { return at <= begun })
}
