package reachability

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
)

// requestOf asks for the nodes of all the accesses together.
func requestOf(account accounts.Entry, accesses []*v1alpha1.SessionAccess) *collect.Request {
	request := &collect.Request{
		AccountID: account.AccountID, Partition: account.Partition,
		Nodes: map[string][]string{}, Documents: map[string][]string{},
	}
	for _, access := range accesses {
		granted := grantOf(access)
		request.Selections = append(request.Selections, selectionsOf(granted)...)
		for _, region := range granted.Regions {
			request.Documents[string(region)] = append(request.Documents[string(region)], documentsOf(granted)...)
			for _, id := range idsOf(granted) {
				if wanted := request.Nodes[id]; !slices.Contains(wanted, string(region)) {
					request.Nodes[id] = append(wanted, string(region))
				}
			}
		}
	}
	return request
}

// idsOf lists the nodes that a grant names. Tags beside an id narrow what is
// allowed, and not what is meant.
func idsOf(granted *v1alpha1.ResolvedGrant) []string {
	var ids []string
	for _, t := range granted.Targets {
		for _, id := range t.InstanceIDs {
			ids = append(ids, string(id))
		}
	}
	return ids
}

// selectionsOf lists the sets of nodes that a grant means by their tags.
func selectionsOf(granted *v1alpha1.ResolvedGrant) []collect.Selection {
	var selections []collect.Selection
	for _, region := range granted.Regions {
		for _, t := range granted.Targets {
			if len(t.InstanceIDs) == 0 && len(t.Tags) > 0 {
				selections = append(selections, collect.Selection{Region: string(region), Tags: t.Tags})
			}
		}
	}
	return selections
}

func documentsOf(granted *v1alpha1.ResolvedGrant) []string {
	names := make([]string, len(granted.Documents))
	for i, d := range granted.Documents {
		names[i] = d.Name
	}
	return names
}
