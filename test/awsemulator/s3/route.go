package s3

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// route finds the operation of a request on a bucket and the bucket: in the
// path, or, where the path is empty, in the host.
func route(r *http.Request) (string, url.Values) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket == "" {
		bucket = bucketOfHost(r.Host)
	}
	parameters := url.Values{"Bucket": {bucket}}
	if owner := r.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" {
		parameters.Set("ExpectedBucketOwner", owner)
	}
	if bucket == "" || key != "" {
		return "", parameters
	}
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodHead:
		return "HeadBucket", parameters
	case r.Method != http.MethodGet:
		return "", parameters
	case query.Has("encryption"):
		return "GetBucketEncryption", parameters
	case query.Has("location"):
		return "GetBucketLocation", parameters
	case query.Has("policy"):
		return "GetBucketPolicy", parameters
	}
	return "", parameters
}

// bucketOfHost is what precedes the name of S3 or of the emulator's host in the
// host of a request: bucket.s3.REGION.amazonaws.com, bucket.localhost. It is
// empty for a host without a bucket.
func bucketOfHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return ""
	}
	for _, end := range []string{".s3.", ".s3-", ".localhost"} {
		if i := strings.LastIndex(host, end); i >= 0 {
			return host[:i]
		}
	}
	bucket, _, found := strings.Cut(host, ".")
	if !found || bucket == "s3" {
		return ""
	}
	return bucket
}
