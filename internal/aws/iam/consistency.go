package iam

import (
	"hash/maphash"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// monotonicTime is a time as the cache counts it: nanoseconds since the cache was
// made, plus one. Its zero value is before everything: never.
type monotonicTime int64

const (
	never monotonicTime = 0
	// start is when the cache was made. Another process may have written just
	// before.
	start monotonicTime = 1
)

func (i monotonicTime) plus(d time.Duration) monotonicTime { return i + monotonicTime(d) }

// value represents the result of a write to an entry, for comparison with
// others.
type value uint64

// mixed is what several writes of unknown effect and different values leave.
const mixed value = 0

var documentSeed = maphash.MakeSeed()

func presenceValue(p Presence) value { return value(p) + 1 }

func documentValue(document string) value {
	if sum := value(maphash.String(documentSeed, document)); sum != mixed {
		return sum
	}
	return 1
}

// consistency is the consistency state of an entry of the cache: why the entry is
// taken for true. The entry itself holds what is taken for true.
type consistency struct {
	// read is when the newest read that counted began.
	read monotonicTime
	// own is this process's last write to the entry; nil when a later read has
	// established its effect.
	own *ownWrite
}

// outcome is the possible effect of one write.
type outcome struct {
	// began is before the first request was sent, ended after the last answer.
	began, ended monotonicTime
	// acked: AWS answered that it is so.
	acked bool
	// unknown: a request was sent whose effect, if any, is not known. It may
	// be true along with acked, when the first attempt was lost and a later
	// one answered.
	unknown bool
}

// ownWrite is the last write of this process to an entry.
type ownWrite struct {
	// ended is after the last answer.
	ended monotonicTime
	// acked: AWS answered that it is so. Else the effect is not known.
	acked bool
	// unknown is the end of the last write of unknown effect, never if there was
	// none within a window; unknownOf what it would have made of the entry.
	unknown   monotonicTime
	unknownOf value
}

// wrote notes a write that made, or may have made, v of the entry.
func (c *consistency) wrote(v value, o outcome) {
	w := &ownWrite{ended: o.ended, acked: o.acked}
	if c.own != nil && c.own.unknown != never && c.own.unknown.plus(awsclient.ConsistencyWindow) > o.began {
		w.unknown, w.unknownOf = c.own.unknown, c.own.unknownOf
	}
	if o.unknown {
		if w.unknown == never || w.unknownOf == v {
			w.unknownOf = v
		} else {
			w.unknownOf = mixed
		}
		w.unknown = o.ended
	}
	c.own = w
}

// admits reports whether a read that began then is reliable for the entry, and
// if so takes note of it. It is not reliable when a newer read is
// known, or when this process's last write is so recent that IAM may still
// return what was before it, or that the write may yet take effect.
func (c *consistency) admits(begun monotonicTime) bool {
	if begun < c.read {
		return false
	}
	if c.own != nil {
		if begun < c.own.ended.plus(awsclient.ConsistencyWindow) {
			return false
		}
		c.own = nil
	}
	c.read = begun
	return true
}

// refinable reports whether a point read that began then is better than
// nothing: the effect of the last write is unknown, and the read is younger.
func (c consistency) refinable(begun monotonicTime) bool {
	return c.own != nil && !c.own.acked && begun >= c.own.ended
}

// proves reports whether it is proven that the entry is v, which is what the cache
// holds.
func (c consistency) proves(v value) bool {
	if c.own != nil {
		return c.own.acked && (c.own.unknown == never || c.own.unknownOf == v)
	}
	return c.read >= start.plus(awsclient.ConsistencyWindow)
}

// settles is the earliest time at which a read proves the entry.
func (c consistency) settles() monotonicTime {
	if c.own != nil {
		return c.own.ended.plus(awsclient.ConsistencyWindow)
	}
	return start.plus(awsclient.ConsistencyWindow)
}

// provesAbsence is proves for what is believed not to be.
func (c consistency) provesAbsence() bool { return c.proves(presenceValue(Absent)) }
