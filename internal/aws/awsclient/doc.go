// Package awsclient reaches AWS accounts: credentials and the SDK's clients, the
// request limiter with its priorities, the guards of writes, timeouts, and what is
// measured of every call. It calls nothing but STS itself; packages iam, ssm and
// network do.
//
// A Pool makes one Account per account id. An Account hands out its Clients once
// STS has confirmed that the credentials belong to the account.
package awsclient
