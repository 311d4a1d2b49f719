package awsemulator

import (
	"maps"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/controlchannel"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// sessionInputs are the inputs of a session document that names none.
var sessionInputs = map[string]any{
	"s3BucketName": "", "s3KeyPrefix": "", "s3EncryptionEnabled": false,
	"cloudWatchLogGroupName": "", "cloudWatchEncryptionEnabled": false, "cloudWatchStreamingEnabled": false,
	"kmsKeyId": "", "runAsEnabled": false, "runAsDefaultUser": "",
}

// startOf is what the agent of a node needs to run a session. The parameters are in the
// document already.
func startOf(r *ssm.Region, session *ssm.Session) controlchannel.Start {
	plan := r.Plan(session)
	inputs := maps.Clone(sessionInputs)
	maps.Copy(inputs, plan.Inputs)
	inputs["kmsKeyId"] = plan.KMSKey
	content := map[string]any{"schemaVersion": "1.0", "description": "", "sessionType": plan.Type, "inputs": inputs}
	if plan.Properties != nil {
		content["properties"] = plan.Properties
	}
	return controlchannel.Start{
		DocumentName: session.DocumentName, DocumentContent: content, SessionId: session.ID, SessionOwner: session.Owner, Parameters: map[string]any{},
	}
}

// closeChannels ends the channels of a session that has ended.
func (s *Server) closeChannels(session string) {
	s.channels.End(session)
	s.nodeChannels.End(session)
}

// sessionExited ends a session whose program has ended on its node.
func (s *Server) sessionExited(session string) {
	for _, a := range s.Accounts() {
		for _, r := range a.Regions() {
			if _, ok := r.SSM.Session(session); ok {
				r.SSM.End(s.clock.Now(), session)
				return
			}
		}
	}
}
