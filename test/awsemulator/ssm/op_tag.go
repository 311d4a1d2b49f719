package ssm

import (
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (r *Region) addTagsToResource(req *service.Request, in *sdk.AddTagsToResourceInput) (*sdk.AddTagsToResourceOutput, error) {
	return &sdk.AddTagsToResourceOutput{}, r.retag(req.Now, in.ResourceType, aws.ToString(in.ResourceId), func(old map[string]string) (map[string]string, error) {
		return tagMap(old, in.Tags)
	})
}

func (r *Region) removeTagsFromResource(req *service.Request, in *sdk.RemoveTagsFromResourceInput) (*sdk.RemoveTagsFromResourceOutput, error) {
	return &sdk.RemoveTagsFromResourceOutput{}, r.retag(req.Now, in.ResourceType, aws.ToString(in.ResourceId), func(old map[string]string) (map[string]string, error) {
		tags := maps.Clone(old)
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
		return tags, nil
	})
}

func (r *Region) listTagsForResource(req *service.Request, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	id := aws.ToString(in.ResourceId)
	switch in.ResourceType {
	case types.ResourceTypeForTaggingDocument:
		if d, ok := r.at(r.DocumentLag, req.Now).document(req.Now, id); ok {
			return &sdk.ListTagsForResourceOutput{TagList: tagList(d.Tags)}, nil
		}
	case types.ResourceTypeForTaggingManagedInstance:
		if n, ok := r.hybridNode(id); ok {
			return &sdk.ListTagsForResourceOutput{TagList: tagList(n.Tags)}, nil
		}
	default:
		return nil, invalidResourceType(in.ResourceType)
	}
	return nil, invalidResourceID(id)
}

// retag changes the tags of a document or of a hybrid node.
func (r *Region) retag(now time.Time, kind types.ResourceTypeForTagging, id string, change func(map[string]string) (map[string]string, error)) error {
	switch kind {
	case types.ResourceTypeForTaggingDocument:
		return r.update(now, func(s *State) error {
			d, ok := s.document(now, id)
			if !ok {
				return invalidResourceID(id)
			}
			tags, err := change(d.Tags)
			if err != nil {
				return err
			}
			s.documents = s.documents.With(d.Name, d.with(func(d *Document) { d.Tags = tags }))
			return nil
		})
	case types.ResourceTypeForTaggingManagedInstance:
		return r.retagNode(now, id, change)
	default:
		return invalidResourceType(kind)
	}
}

// retagNode changes the tags of a hybrid node. It counts as a change of the
// region, so that no other comes in between.
func (r *Region) retagNode(now time.Time, id string, change func(map[string]string) (map[string]string, error)) error {
	return r.update(now, func(*State) error {
		n, ok := r.hybridNode(id)
		if !ok {
			return invalidResourceID(id)
		}
		tags, err := change(n.Tags)
		if err != nil {
			return err
		}
		return r.Fleet.Change(id, func(n *fleet.Node) { n.Tags = tags })
	})
}

// hybridNode finds a node that is not of EC2.
func (r *Region) hybridNode(id string) (*fleet.Node, bool) {
	n, ok := r.Fleet.Node(id)
	return n, ok && n.Managed && strings.HasPrefix(id, "mi-")
}

func invalidResourceType(kind types.ResourceTypeForTagging) error {
	return invalid("InvalidResourceType", "The resource type %q is not valid. The emulator knows Document and ManagedInstance.", kind)
}

func invalidResourceID(id string) error {
	return invalid("InvalidResourceId", "The resource ID %q is not valid. Verify that you entered the correct ID and try again.", id)
}
