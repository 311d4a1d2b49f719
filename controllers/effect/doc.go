// Package effect asks IAM whether what is granted takes effect: a service control policy,
// a permissions boundary or an explicit Deny makes a grant void although its policies are
// in place. It only reads, through IAM's policy simulator, after all other work and with a
// rate limit of its own. It stores the answers in the EffectStore of package grants.
package effect
