package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// documentName is the document that a request means: its own or the default.
func documentName(name *string) string {
	if name == nil || *name == "" {
		return DefaultDocument
	}
	return *name
}

// MayStart asks whether a session may be opened: the node and the document
// are judged each by itself, and the key that the document names. A grant on
// the node alone, which does not ask for the document check, brings the
// default document with it.
func (r *Region) MayStart(allowed func(service.Check) error, target, document string) error {
	if err := r.mayUseNode(allowed, target, document); err != nil {
		return err
	}
	return r.mayUseKey(allowed, document)
}

func (r *Region) mayUseNode(allowed func(service.Check) error, target, document string) error {
	node := r.startCheck(r.NodeARN(target))
	if document == DefaultDocument {
		unchecked := node
		unchecked.Context = node.Context.Clone()
		unchecked.Context.Set("ssm:SessionDocumentAccessCheck", "false")
		if allowed(unchecked) == nil {
			return nil
		}
	}
	if err := allowed(node); err != nil {
		return err
	}
	return allowed(r.startCheck(r.DocumentARN(document)))
}

func (r *Region) startCheck(resource string) service.Check {
	c := service.Check{Action: "ssm:StartSession", Resource: resource, Context: r.ResourceContext(resource)}
	c.Context.Set("ssm:SessionDocumentAccessCheck", "true")
	return c
}

// mayUseKey asks for the key of the document's default version, where it has
// one.
func (r *Region) mayUseKey(allowed func(service.Check) error, document string) error {
	_, v, err := r.findVersion(r.history.Latest(), r.Now(), &document, nil, nil)
	if err != nil {
		// What does not exist is refused elsewhere, or is the default document.
		return nil //nolint:nilerr // It is no key that is missing.
	}
	key := v.kmsKey()
	if key == "" {
		return nil
	}
	return allowed(r.UseOfKey(key))
}

// checkSessionDocument checks that a session can run by the document.
func (r *Region) checkSessionDocument(now time.Time, name string) error {
	f, v, err := r.findVersion(r.history.Latest(), now, &name, nil, nil)
	if err != nil {
		if name == DefaultDocument {
			return nil
		}
		return invalidDocument(name)
	}
	if f.Type != sessionType {
		return invalid("InvalidDocument", "Document type: '%s' is not supported. Only type: 'Session' is supported for Session Manager.", f.Type)
	}
	if status, _ := f.Status(v, now); status != types.DocumentStatusActive {
		return invalid("InvalidDocument", "Document %s is %s.", name, status)
	}
	return nil
}

// checkTarget checks that a session can be opened on the node.
func (r *Region) checkTarget(now time.Time, target string) error {
	node, ok := r.Fleet.Node(target)
	if ok && node.Managed && r.history.Latest().tier.inForce(now) != TierAdvanced {
		// Code and message as users report them.
		return invalid("BadRequest", "Enable advanced-instances tier to use Session Manager with your on-premises instances")
	}
	if !ok || !node.Reachable() {
		return targetNotConnected(target)
	}
	return nil
}
