package cloud

import "slices"

// A write sometimes has to list what IAM holds, and overwrites or deletes it
// right after. What it found there is reported here: no later read can.

// compareDefault reports a default version that is not the known one, read at a
// time that counts.
func (w *writer) compareDefault(begun instant, current string) {
	known := w.known()
	if known.defaultVersion == "" || current == "" || known.defaultVersion == current || !known.content.admits(begun) {
		return
	}
	kind := Edited
	if slices.Contains(known.versions, current) {
		kind = DefaultMoved
	}
	w.account.mirror.drift([]Drift{{Kind: kind, Policy: known.name}})
}

// compareAttached reports the principals that the policy is attached to and was
// not known to be, read at a time that counts.
func (w *writer) compareAttached(begun instant, attached []Principal) {
	known := w.known()
	if !known.others.admits(begun) {
		return
	}
	var drifts []Drift
	for _, principal := range attached {
		if known.attachmentOf(principal) == nil {
			drifts = append(drifts, Drift{Kind: AttachedElsewhere, Policy: known.name, Principal: principal})
		}
	}
	slices.SortFunc(drifts, compareDrifts)
	w.account.mirror.drift(drifts)
}
