package service

import (
	"math/rand/v2"
	"sync"
)

// The alphabets of AWS's identifiers.
const (
	upperBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	lowerBase36 = "abcdefghijklmnopqrstuvwxyz0123456789"
	hexDigits   = "0123456789abcdef"
	secretChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// Random makes identifiers and takes chances, the same for the same seed and
// order of questions. It is safe for concurrent use.
type Random struct {
	mu sync.Mutex
	r  *rand.Rand
}

// NewRandom returns a Random for a seed.
func NewRandom(seed uint64) *Random {
	return &Random{r: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}
}

// UniqueID is an IAM unique id: the prefix and 17 characters.
func (r *Random) UniqueID(prefix string) string { return prefix + r.text(upperBase32, 17) }

// AccessKeyID is the id of an access key: the prefix and 16 characters.
func (r *Random) AccessKeyID(prefix string) string { return prefix + r.text(upperBase32, 16) }

// Secret is text of the kind that secrets and tokens are made of.
func (r *Random) Secret(length int) string { return r.text(secretChars, length) }

// SessionSuffix is what follows the name in the id of a session: 26 lower-case
// letters and digits.
func (r *Random) SessionSuffix() string { return r.text(lowerBase36, 26) }

// Hex is a run of hexadecimal digits.
func (r *Random) Hex(length int) string { return r.text(hexDigits, length) }

// RequestID is a UUID of the form that AWS gives to requests.
func (r *Random) RequestID() string {
	h := r.Hex(32)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Float returns a number in [0, 1).
func (r *Random) Float() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Float64()
}

// IntN returns a number in [0, n).
func (r *Random) IntN(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.IntN(n)
}

func (r *Random) text(alphabet string, length int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := make([]byte, length)
	for i := range b {
		b[i] = alphabet[r.r.IntN(len(alphabet))]
	}
	return string(b)
}
