package awsclient

import "testing"

func TestOnlyWhatIsKnownToReadIsTakenForARead(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string]bool{
		"GetUser": false, "ListEntitiesForPolicy": false, "DescribeSessions": false, "SimulatePrincipalPolicy": false,
		"CreatePolicy": true, "TerminateSession": true, "ModifyDocumentPermission": true, "PutSomethingNew": true,
	} {
		if got := writes(serviceIAM, operation); got != want {
			t.Errorf("%s: writes = %v", operation, got)
		}
	}
	if writes(serviceSTS, "AssumeRole") {
		t.Error("assuming a role is taken for a write")
	}
}
