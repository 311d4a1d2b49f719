package authz

import (
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	numberForm = regexp.MustCompile(`^-?\d{1,30}(\.\d{1,30})?$`)
	epochForm  = regexp.MustCompile(`^\d{1,12}$`)
	// dateForm is the W3C profile of ISO 8601 (NOTE-datetime) without its bare
	// year, which would read as an epoch. Go's own parser is more lenient.
	dateForm = regexp.MustCompile(`^\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?)?$`)
)

var dateLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"}

// parseNumber reads an integer or a decimal, exactly.
func parseNumber(s string) (*big.Rat, error) {
	if numberForm.MatchString(s) {
		if n, ok := new(big.Rat).SetString(s); ok {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%q is not a number; write an integer or a decimal such as 3600 or 1.5", s)
}

// parseDate reads a date in ISO 8601 or as seconds since 1970.
func parseDate(s string) (time.Time, error) {
	if epochForm.MatchString(s) {
		seconds, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(seconds, 0), err
	}
	if dateForm.MatchString(s) {
		for _, layout := range dateLayouts {
			if t, err := time.Parse(layout, s); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date; write ISO 8601 with a zone, such as 2026-12-01T00:00:00Z, or seconds since 1970", s)
}

// parseBool reads "true" or "false".
func parseBool(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, fmt.Errorf("%q is not a boolean; write true or false", s)
	}
	return s == "true", nil
}

// parseAddressRange reads a CIDR range; a single address is a range of one.
func parseAddressRange(s string) (netip.Prefix, error) {
	fail := fmt.Errorf("%q is not an IP address or CIDR range; write one such as 203.0.113.0/24 or 2001:db8::/32", s)
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" || addr.Is4In6() {
			return netip.Prefix{}, fail
		}
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return netip.Prefix{}, fail
	}
	return prefix, nil // Contains disregards host bits
}

// parseAddress reads the one address of a request. A mapped IPv4 address is the
// IPv4 address it maps.
func parseAddress(s string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", s)
	}
	return addr.Unmap(), nil
}

// arnFields is the number of colon-delimited components of an ARN; the sixth
// may itself hold colons.
const arnFields = 6

// splitARN cuts an ARN into its components.
func splitARN(s string) ([]string, error) {
	fields := strings.SplitN(s, ":", arnFields)
	if len(fields) != arnFields || fields[0] != "arn" {
		return nil, fmt.Errorf("%q is not an ARN; write arn:partition:service:region:account:resource", s)
	}
	return fields, nil
}

// check reports whether s can be a value of a key of this kind.
func (k keyKind) check(s string) error {
	var err error
	switch k {
	case kindARN:
		_, err = splitARN(s)
	case kindBool:
		_, err = parseBool(s)
	case kindDate:
		_, err = parseDate(s)
	case kindEpoch:
		if !epochForm.MatchString(s) {
			err = fmt.Errorf("%q is not a time in seconds since 1970", s)
		}
	case kindIP:
		_, err = parseAddress(s)
	case kindNumeric:
		_, err = parseNumber(s)
	case kindString:
	}
	return err
}
