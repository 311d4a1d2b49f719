package ram

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func failure(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

// paths are the paths of the operations.
var paths = map[string]string{
	"/createresourceshare": "CreateResourceShare", "/associateresourceshare": "AssociateResourceShare",
	"/disassociateresourceshare": "DisassociateResourceShare", "/deleteresourceshare": "DeleteResourceShare",
	"/getresourceshares": "GetResourceShares", "/getresourceshareassociations": "GetResourceShareAssociations",
}

// route finds the operation by the path.
func route(r *http.Request) (string, url.Values) { return paths[r.URL.Path], r.URL.Query() }

// Service returns RAM; of finds the region that a request is about.
func Service(of func(*service.Request) *Region) *service.Service {
	return &service.Service{Name: "ram", Route: route, Operations: service.Collect([]service.Operation{
		service.Define(of, "CreateResourceShare", service.Write, func(r *Region, _ *service.Request, in *sdk.CreateResourceShareInput) []service.Check {
			c := service.Check{Action: "ram:CreateResourceShare", Resource: "*"}
			about(&c, in.Principals, in.ResourceArns)
			// RAM takes true where the request says nothing.
			c.Context.Set("ram:RequestedAllowsExternalPrincipals", strconv.FormatBool(in.AllowExternalPrincipals == nil || *in.AllowExternalPrincipals))
			for _, t := range in.Tags {
				c.Context.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
			}
			return append([]service.Check{c}, r.onPolicies("PutResourcePolicy", in.ResourceArns)...)
		}, (*Region).create).Require("Name"),
		service.Define(of, "AssociateResourceShare", service.Write, func(r *Region, _ *service.Request, in *sdk.AssociateResourceShareInput) []service.Check {
			c := r.onShare("AssociateResourceShare", in.ResourceShareArn)
			about(&c, in.Principals, in.ResourceArns)
			return append([]service.Check{c}, r.onPolicies("PutResourcePolicy", r.resourcesOf(in.ResourceShareArn, in.ResourceArns))...)
		}, (*Region).associate).Require("ResourceShareArn"),
		service.Define(of, "DisassociateResourceShare", service.Write, func(r *Region, _ *service.Request, in *sdk.DisassociateResourceShareInput) []service.Check {
			c := r.onShare("DisassociateResourceShare", in.ResourceShareArn)
			about(&c, in.Principals, in.ResourceArns)
			return append([]service.Check{c}, r.onPolicies("PutResourcePolicy", r.resourcesOf(in.ResourceShareArn, in.ResourceArns))...)
		}, (*Region).disassociate).Require("ResourceShareArn"),
		service.Define(of, "DeleteResourceShare", service.Write, func(r *Region, _ *service.Request, in *sdk.DeleteResourceShareInput) []service.Check {
			return append([]service.Check{r.onShare("DeleteResourceShare", in.ResourceShareArn)}, r.onPolicies("DeleteResourcePolicy", r.resourcesOf(in.ResourceShareArn, nil))...)
		}, (*Region).remove).Require("ResourceShareArn"),
		service.Define(of, "GetResourceShares", service.Read, func(*Region, *service.Request, *sdk.GetResourceSharesInput) []service.Check {
			return []service.Check{{Action: "ram:GetResourceShares", Resource: "*"}}
		}, (*Region).list).Require("ResourceOwner"),
		service.Define(of, "GetResourceShareAssociations", service.Read, func(*Region, *service.Request, *sdk.GetResourceShareAssociationsInput) []service.Check {
			return []service.Check{{Action: "ram:GetResourceShareAssociations", Resource: "*"}}
		}, (*Region).listAssociations).Require("AssociationType"),
	})}
}

// about sets the condition keys of the principals and resources that a request names.
func about(c *service.Check, principals, resources []string) {
	if len(principals) > 0 {
		c.Context.Set("ram:Principal", principals...)
	}
	if len(resources) > 0 {
		c.Context.Set("ram:ResourceArn", resources...)
		c.Context.Set("ram:RequestedResourceType", "ssm:Document")
	}
}

// onShare is the check of an operation on a resource share.
func (r *Region) onShare(operation string, arn *string) service.Check {
	c := service.Check{Action: "ram:" + operation, Resource: aws.ToString(arn)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, err := r.find(aws.ToString(arn)); err == nil {
		c.Context.Set("ram:ResourceShareName", s.name)
		c.Context.Set("ram:AllowsExternalPrincipals", strconv.FormatBool(s.external))
		for key, value := range s.tags {
			c.Context.Set("aws:ResourceTag/"+key, value)
			c.Context.Set("ram:ResourceTag/"+key, value)
		}
	}
	return c
}

// onPolicies are the checks on the resource policies, which RAM writes in the name of the
// caller. That it does so for documents has not been seen on a real account.
func (*Region) onPolicies(operation string, resources []string) []service.Check {
	var checks []service.Check
	for _, arn := range resources {
		checks = append(checks, service.Check{Action: "ssm:" + operation, Resource: arn})
	}
	return checks
}

// resourcesOf are the resources of a share, and others.
func (r *Region) resourcesOf(arn *string, others []string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.find(aws.ToString(arn))
	if err != nil {
		return others
	}
	now := r.Now()
	for _, a := range s.associations {
		if strings.HasPrefix(a.entity, r.ARN("ssm", "")) && a.present(now) {
			others = append(others, a.entity)
		}
	}
	return others
}
