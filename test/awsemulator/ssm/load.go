package ssm

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// Load fills the region from a fixture, the machines apart.
func (r *Region) Load(f fixtures.Region) error {
	for _, d := range f.Documents {
		if err := r.LoadDocument(d); err != nil {
			return err
		}
	}
	for _, a := range f.Activations {
		if err := r.LoadActivation(a); err != nil {
			return err
		}
	}
	for id, value := range f.ServiceSettings {
		if id == hostSetting {
			r.SetHostRole(value)
			continue
		}
		if id != tierSetting {
			return fmt.Errorf("there is no service setting %q; there are %s and %s", id, tierSetting, hostSetting)
		}
		if value != TierStandard && value != TierAdvanced {
			return fmt.Errorf("the activation tier is standard or advanced, not %q", value)
		}
		r.SetTier(value)
	}
	return nil
}

// LoadDocument puts a document of a fixture into the region.
func (r *Region) LoadDocument(f fixtures.Document) error {
	d, err := r.documentOf(f)
	if err != nil {
		return fmt.Errorf("document %s: %w", f.Name, err)
	}
	return r.update(r.Now(), func(s *State) error {
		s.documents = s.documents.With(d.Name, d)
		return nil
	})
}

func (r *Region) documentOf(f fixtures.Document) (*Document, error) {
	now := r.Now()
	d := &Document{Name: f.Name, Type: f.Type, Created: now, Tags: maps.Clone(f.Tags), Default: f.Default, Shares: map[string]string{}}
	if d.Type == "" {
		d.Type = sessionType
	}
	if d.Default == 0 {
		d.Default = 1
	}
	versions := f.Versions
	if len(f.Content) > 0 {
		versions = append([]fixtures.DocumentVersion{{Content: f.Content}}, versions...)
	}
	for i, version := range versions {
		content := fixtures.Text(version.Content)
		format := cmp.Or(version.Format, string(types.DocumentFormatJson))
		description, err := checkContent(d.Type, format, content)
		if err != nil {
			return nil, err
		}
		d.Versions = append(d.Versions, DocumentVersion{
			Number: i + 1, Name: version.Name, Content: content, Format: format, Description: description, Created: now, ready: now,
		})
	}
	d.next = len(d.Versions) + 1
	if _, ok := d.Version(d.Default); !ok {
		return nil, fmt.Errorf("there is no version %d to be the default", d.Default)
	}
	for _, account := range f.Shares {
		d.Shares[account] = defaultVersion
	}
	return d, nil
}

// LoadActivation puts an activation of a fixture into the region.
func (r *Region) LoadActivation(f fixtures.Activation) error {
	if err := activationIDPattern.Check(f.ID); err != nil {
		return fmt.Errorf("activation %s: the id is no UUID", f.ID)
	}
	a := &Activation{
		ID: f.ID, Code: f.Code, Role: f.Role, Name: f.DefaultInstanceName, Description: f.Description, Limit: f.RegistrationLimit,
		Registered: f.Registrations, Created: r.Now(), Expires: r.Now().Add(defaultActivationLife), Tags: maps.Clone(f.Tags),
	}
	if a.Limit == 0 {
		a.Limit = 1
	}
	if a.Code == "" {
		a.Code = r.Random.Secret(activationCodeLength)
	}
	return r.update(r.Now(), func(s *State) error {
		s.activations = s.activations.With(a.ID, a)
		return nil
	})
}
