package awsclient

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// regional makes a service's client for each region once.
type regional[T any] struct {
	create func(region string) *T

	mu   sync.Mutex
	made map[string]*T
}

func newRegional[T any](create func(region string) *T) *regional[T] {
	return &regional[T]{create: create, made: map[string]*T{}}
}

// in is the client of a region.
func (r *regional[T]) in(region string) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.made[region] == nil {
		r.made[region] = r.create(region)
	}
	return r.made[region]
}

// regionalClients are those of the services that have a client in each region.
type regionalClients struct {
	ssm  *regional[ssm.Client]
	ec2  *regional[ec2.Client]
	logs *regional[cloudwatchlogs.Client]
	s3   *regional[s3.Client]
	kms  *regional[kms.Client]
	ram  *regional[ram.Client]
}

func (c *Clients) newRegionalClients() regionalClients {
	return regionalClients{
		ssm: newRegional(func(region string) *ssm.Client {
			return ssm.NewFromConfig(c.base, func(o *ssm.Options) {
				o.Region = region
				c.instrument(&o.APIOptions, serviceSSM)
			})
		}),
		ec2: newRegional(func(region string) *ec2.Client {
			return ec2.NewFromConfig(c.base, func(o *ec2.Options) {
				o.Region = region
				c.instrument(&o.APIOptions, serviceEC2)
			})
		}),
		logs: newRegional(func(region string) *cloudwatchlogs.Client {
			return cloudwatchlogs.NewFromConfig(c.base, func(o *cloudwatchlogs.Options) {
				o.Region = region
				c.instrument(&o.APIOptions, serviceLogs)
			})
		}),
		s3: newRegional(func(region string) *s3.Client {
			return s3.NewFromConfig(c.base, func(o *s3.Options) {
				o.Region = region
				// With an endpoint of one's own, buckets have no host names.
				o.UsePathStyle = c.base.BaseEndpoint != nil
				c.instrument(&o.APIOptions, serviceS3)
			})
		}),
		kms: newRegional(func(region string) *kms.Client {
			return kms.NewFromConfig(c.base, func(o *kms.Options) {
				o.Region = region
				c.instrument(&o.APIOptions, serviceKMS)
			})
		}),
		ram: newRegional(func(region string) *ram.Client {
			return ram.NewFromConfig(c.base, func(o *ram.Options) {
				o.Region = region
				c.instrument(&o.APIOptions, serviceRAM)
			})
		}),
	}
}

// IAM is the IAM client.
func (c *Clients) IAM() *iam.Client { return c.iam }

// SSM is the SSM client of a region.
func (c *Clients) SSM(region string) *ssm.Client { return c.regions.ssm.in(region) }

// EC2 is the EC2 client of a region.
func (c *Clients) EC2(region string) *ec2.Client { return c.regions.ec2.in(region) }

// Logs is the CloudWatch Logs client of a region.
func (c *Clients) Logs(region string) *cloudwatchlogs.Client { return c.regions.logs.in(region) }

// S3 is the S3 client of a region.
func (c *Clients) S3(region string) *s3.Client { return c.regions.s3.in(region) }

// KMS is the KMS client of a region.
func (c *Clients) KMS(region string) *kms.Client { return c.regions.kms.in(region) }

// RAM is the Resource Access Manager client of a region.
func (c *Clients) RAM(region string) *ram.Client { return c.regions.ram.in(region) }
