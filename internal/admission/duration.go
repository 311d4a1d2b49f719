package admission

import (
	"strings"
	"time"
)

// ShortDuration writes a time for a message: 720h0m0s as 720h, 1h30m0s as 1h30m.
func ShortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
