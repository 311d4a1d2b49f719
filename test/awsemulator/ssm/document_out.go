package ssm

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// platforms are those that documents are for.
var platforms = []types.PlatformType{types.PlatformTypeWindows, types.PlatformTypeLinux, types.PlatformTypeMacos}

// without returns the document less one version.
func (d *Document) without(number int) *Document {
	return d.with(func(d *Document) {
		d.Versions = slices.DeleteFunc(d.Versions, func(v DocumentVersion) bool { return v.Number == number })
	})
}

// describe is a version of a document as AWS describes it.
func (r *Region) describe(f foundDocument, v DocumentVersion, now time.Time) *types.DocumentDescription {
	sum := sha256.Sum256([]byte(v.Content))
	out := &types.DocumentDescription{
		Name: aws.String(f.name), Owner: aws.String(f.owner), CreatedDate: aws.Time(v.Created), Description: optional(v.Description),
		DocumentVersion: aws.String(strconv.Itoa(v.Number)), VersionName: optional(v.Name), DefaultVersion: aws.String(strconv.Itoa(f.Default)),
		LatestVersion: aws.String(strconv.Itoa(f.Latest().Number)), DocumentType: types.DocumentType(f.Type),
		DocumentFormat: types.DocumentFormat(v.Format), Hash: aws.String(hex.EncodeToString(sum[:])), HashType: types.DocumentHashTypeSha256,
		PlatformTypes: platforms, Tags: []types.Tag{}, SchemaVersion: schemaVersionOf(f.Type),
	}
	status, information := f.Status(v, now)
	out.Status, out.StatusInformation = status, optional(information)
	if f.owner == r.AccountID {
		out.Tags = tagList(f.Tags)
	}
	return out
}

func schemaVersionOf(kind string) *string {
	if kind == sessionType {
		return aws.String(sessionSchema)
	}
	return nil
}

// optional is a string that is left out when it is empty.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
