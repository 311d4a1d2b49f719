package awsemulator

import (
	"net/http"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
)

// documentView is a document as the control endpoint shows it.
type documentView struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Default  int               `json:"default"`
	Tags     map[string]string `json:"tags,omitempty"`
	Shares   map[string]string `json:"shares,omitempty"`
	Versions []versionView     `json:"versions"`
}

// versionView is a version of a document as the control endpoint shows it.
type versionView struct {
	Number      int    `json:"number"`
	Name        string `json:"name,omitempty"`
	Status      string `json:"status"`
	Information string `json:"information,omitempty"`
	Content     string `json:"content"`
}

func (s *Server) controlDocuments(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	list := []documentView{}
	for d := range region.SSM.Documents() {
		view := documentView{Name: d.Name, Type: d.Type, Default: d.Default, Tags: d.Tags, Shares: d.Shares}
		for _, v := range d.Versions {
			status, information := d.Status(v, s.clock.Now())
			view.Versions = append(view.Versions, versionView{
				Number: v.Number, Name: v.Name, Status: string(status), Information: information, Content: v.Content,
			})
		}
		list = append(list, view)
	}
	return list, nil
}

// controlNextDocument decides on the next making, or deletion, of a document.
func (s *Server) controlNextDocument(r *http.Request) (any, error) {
	region, err := s.regionOf(r)
	if err != nil {
		return nil, err
	}
	in, err := readControl[struct {
		Takes   faults.Duration `json:"takes"`
		Fails   string          `json:"fails"`
		Deletes bool            `json:"deletes"`
	}](r)
	if err != nil {
		return nil, err
	}
	region.SSM.NextDocument(ssm.Outcome{Takes: time.Duration(in.Takes), Fails: in.Fails, Deletes: in.Deletes})
	return nil, nil
}
