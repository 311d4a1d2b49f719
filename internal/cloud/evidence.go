package cloud

import (
	"hash/maphash"
	"time"
)

// instant is a time as the mirror counts it: nanoseconds since the mirror was
// made, plus one. The zero instant is before everything: never.
type instant int64

const (
	never instant = 0
	// start is when the mirror was made. Another process may have written just
	// before.
	start instant = 1
)

func (i instant) plus(d time.Duration) instant { return i + instant(d) }

// value represents the result of a write to an entry, for comparison with
// others.
type value uint64

// mixed is what several doubtful writes of different values leave.
const mixed value = 0

var documentSeed = maphash.MakeSeed()

func presenceValue(p Presence) value { return value(p) + 1 }

func documentValue(document string) value {
	if sum := value(maphash.String(documentSeed, document)); sum != mixed {
		return sum
	}
	return 1
}

// evidence is why an entry of the mirror is believed. The entry itself holds
// what is believed.
type evidence struct {
	// read is when the newest read that counted began.
	read instant
	// own is this process's last write to the entry; nil when a later read has
	// established its effect.
	own *ownWrite
}

// ownWrite is the last write of this process to an entry.
type ownWrite struct {
	// began and ended bound the time in which it took effect, when acked.
	began, ended instant
	// acked: AWS answered that it is so. Else the effect is not known.
	acked bool
	// doubt is the end of the last write of unknown effect, never if there was
	// none within a window; doubtOf what it would have made of the entry.
	doubt   instant
	doubtOf value
}

// wrote notes a write that made, or may have made, v of the entry.
func (e *evidence) wrote(v value, o outcome) {
	w := &ownWrite{began: o.began, ended: o.ended, acked: o.acked}
	if e.own != nil && e.own.doubt != never && e.own.doubt.plus(ConsistencyWindow) > o.began {
		w.doubt, w.doubtOf = e.own.doubt, e.own.doubtOf
	}
	if o.doubtful {
		if w.doubt == never || w.doubtOf == v {
			w.doubtOf = v
		} else {
			w.doubtOf = mixed
		}
		w.doubt = o.ended
	}
	e.own = w
}

// admits reports whether a read that began then is reliable for the entry, and
// if so takes it as the evidence. It is not reliable when a newer read is
// known, or when this process's last write is so recent that IAM may still
// return what was before it, or that the write may yet take effect.
func (e *evidence) admits(begun instant) bool {
	if begun < e.read {
		return false
	}
	if e.own != nil {
		if begun < e.own.ended.plus(ConsistencyWindow) {
			return false
		}
		e.own = nil
	}
	e.read = begun
	return true
}

// refinable reports whether a point read that began then is better than
// nothing: the entry is in doubt, and the read is younger than the doubt.
func (e evidence) refinable(begun instant) bool {
	return e.own != nil && !e.own.acked && begun >= e.own.ended
}

// proves reports whether the evidence proves that the entry is v, which is
// what the mirror believes.
func (e evidence) proves(v value) bool {
	if e.own != nil {
		return e.own.acked && (e.own.doubt == never || e.own.doubtOf == v)
	}
	return e.read >= start.plus(ConsistencyWindow)
}

// settles is the earliest time at which a read proves the entry.
func (e evidence) settles() instant {
	if e.own != nil {
		return e.own.ended.plus(ConsistencyWindow)
	}
	return start.plus(ConsistencyWindow)
}

// provesAbsence is proves for what is believed not to be.
func (e evidence) provesAbsence() bool { return e.proves(presenceValue(Absent)) }
