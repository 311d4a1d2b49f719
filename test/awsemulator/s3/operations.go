package s3

import (
	"encoding/xml"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Input is that of all operations here: they are about a bucket.
type Input struct {
	Bucket              *string
	ExpectedBucketOwner *string
}

// Service returns S3.
func (s *Store) Service() *service.Service {
	return &service.Service{Name: "s3", Dialect: wire.S3, Route: route, Operations: service.Collect([]service.Operation{
		s.define("HeadBucket", "s3:ListBucket", headBucket),
		s.define("GetBucketLocation", "s3:GetBucketLocation", getBucketLocation),
		s.define("GetBucketEncryption", "s3:GetEncryptionConfiguration", getBucketEncryption),
		s.define("GetBucketPolicy", "s3:GetBucketPolicy", getBucketPolicy),
	})}
}

// define makes an operation on a bucket, which an action allows.
func (s *Store) define(name, action string, call func(*Bucket) (*wire.Raw, error)) service.Operation {
	of := func(*service.Request) *Store { return s }
	return service.Define(of, name, service.Read, func(s *Store, r *service.Request, in *Input) []service.Check {
		return s.onBucket(r, action, aws.ToString(in.Bucket))
	}, func(s *Store, r *service.Request, in *Input) (*wire.Raw, error) {
		b, err := s.find(r, in)
		if err != nil {
			return nil, err
		}
		// S3 names the region of a location by no other way either.
		if b.Region != r.Region && name != "GetBucketLocation" {
			return nil, elsewhere(b)
		}
		return call(b)
	})
}

// onBucket is the check of an operation on a bucket.
func (s *Store) onBucket(r *service.Request, action, name string) []service.Check {
	c := service.Check{Action: action, Resource: "arn:" + r.Caller.Partition + ":s3:::" + name}
	b, ok := s.Bucket(name)
	if !ok {
		return []service.Check{c}
	}
	c.Context.Set("aws:ResourceAccount", b.AccountID)
	c.Context.Set("s3:ResourceAccount", b.AccountID)
	if b.Parsed != nil {
		c.ResourcePolicy = &authz.Policy{Name: b.ARN(), Document: b.Parsed}
	}
	if b.AccountID != r.Caller.AccountID {
		c.Rule = authz.BothAllow
	}
	return []service.Check{c}
}

// find finds a bucket that the caller may know of.
func (s *Store) find(r *service.Request, in *Input) (*Bucket, error) {
	b, ok := s.Bucket(aws.ToString(in.Bucket))
	if !ok {
		return nil, wire.Errorf(404, "NoSuchBucket", "The specified bucket does not exist")
	}
	strange := b.AccountID != r.Caller.AccountID && b.Parsed == nil
	if owner := aws.ToString(in.ExpectedBucketOwner); strange || (owner != "" && owner != b.AccountID) {
		return nil, wire.Errorf(403, "AccessDenied", "Access Denied")
	}
	return b, nil
}

const regionHeader = "X-Amz-Bucket-Region"

func elsewhere(b *Bucket) error {
	failure := wire.Errorf(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	failure.Header = map[string]string{regionHeader: b.Region}
	return failure
}

func headBucket(b *Bucket) (*wire.Raw, error) {
	return &wire.Raw{ContentType: "application/xml", Header: map[string]string{regionHeader: b.Region, "X-Amz-Access-Point-Alias": "false"}}, nil
}

func getBucketLocation(b *Bucket) (*wire.Raw, error) {
	location := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: b.Region}
	if b.Region == "us-east-1" {
		location.Region = ""
	}
	return answer(location)
}

func getBucketEncryption(b *Bucket) (*wire.Raw, error) {
	if b.Encryption == "" {
		return nil, wire.Errorf(404, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found")
	}
	configuration := struct {
		XMLName   xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ServerSideEncryptionConfiguration"`
		Algorithm string   `xml:"Rule>ApplyServerSideEncryptionByDefault>SSEAlgorithm"`
		Key       string   `xml:"Rule>ApplyServerSideEncryptionByDefault>KMSMasterKeyID,omitempty"`
		BucketKey bool     `xml:"Rule>BucketKeyEnabled"`
	}{Algorithm: b.Encryption, Key: b.KeyARN}
	return answer(configuration)
}

func getBucketPolicy(b *Bucket) (*wire.Raw, error) {
	if b.Policy == "" {
		return nil, wire.Errorf(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &wire.Raw{ContentType: "application/json", Body: []byte(b.Policy)}, nil
}

func answer(document any) (*wire.Raw, error) {
	body, err := xml.Marshal(document)
	return &wire.Raw{ContentType: "application/xml", Body: append([]byte(xml.Header), body...)}, err
}
