package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// The parts of a policy's name. IAM allows 128 characters; the longest name is
//
//	ssma-<8>-<1>-<80>-<12>-<6> = 4+1+8+1+1+1+80+1+12+1+6 = 116.
const (
	namePrefix = "ssma-"
	labelMax   = 80
	hashDigits = 12
	shardMax   = 999_999
)

var (
	ownerForm = regexp.MustCompile(`^[0-9a-f]{8}$`)
	nameForm  = regexp.MustCompile(`^ssma-([0-9a-f]{8})-([ugrp])-([a-z0-9_+=,.@-]{1,80})-([0-9a-f]{12})-([1-9][0-9]{0,5})$`)
)

var kindLetters = map[Kind]string{User: "u", Group: "g", Role: "r", PermissionSet: "p"}

var letterKinds = map[string]Kind{"u": User, "g": Group, "r": Role, "p": PermissionSet}

// ParsedName is what the name of a policy encodes.
type ParsedName struct {
	// Owner is the 8 hex digits of the operator's owner id.
	Owner string
	Kind  Kind
	// Label is the principal's name in lower case, cut at 80 characters.
	Label string
	// Hash is the 12 hex digits that identify the principal.
	Hash string
	// Shard counts from 1.
	Shard int
}

// ValidOwner reports whether owner is an owner id: 8 lower-case hex digits.
func ValidOwner(owner string) bool { return ownerForm.MatchString(owner) }

// Path is the IAM path of all policies of the owner. It panics, as [Name] and
// [Prefix] do, unless [ValidOwner]: every policy that an ill-formed owner
// matched would count as the operator's.
func Path(owner string) string {
	mustOwner(owner)
	return "/ssm-access/" + owner + "/"
}

// Prefix is what the names of all shards of the principal begin with; it ends in "-".
//
// The name in it is in lower case, because IAM ignores the case of names and users
// spell them differently. The hash distinguishes names that were cut.
func Prefix(owner string, p Principal) string {
	mustOwner(owner)
	letter, ok := kindLetters[p.Kind]
	if !ok {
		panic(fmt.Sprintf("policy: principal kind %q is not known", p.Kind))
	}
	sum := sha256.Sum256([]byte(Key(p)))
	hash := hex.EncodeToString(sum[:hashDigits/2])
	label := strings.ToLower(p.Name)
	label = label[:min(len(label), labelMax)]
	return namePrefix + owner + "-" + letter + "-" + label + "-" + hash + "-"
}

// Name is the name of the principal's policy that holds the shard, counted from 1.
func Name(owner string, p Principal, shard int) string {
	if shard < 1 || shard > shardMax {
		panic(fmt.Sprintf("policy: shard %d is not between 1 and %d", shard, shardMax))
	}
	return Prefix(owner, p) + strconv.Itoa(shard)
}

// ParseName splits a policy's name; false means that it does not have the
// operator's form.
func ParseName(name string) (ParsedName, bool) {
	m := nameForm.FindStringSubmatch(name)
	if m == nil {
		return ParsedName{}, false
	}
	shard, err := strconv.Atoi(m[5])
	if err != nil {
		return ParsedName{}, false
	}
	return ParsedName{Owner: m[1], Kind: letterKinds[m[2]], Label: m[3], Hash: m[4], Shard: shard}, true
}

func mustOwner(owner string) {
	if !ValidOwner(owner) {
		panic(fmt.Sprintf("policy: owner id %q is not 8 lower-case hex digits", owner))
	}
}
