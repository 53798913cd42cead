package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Signer signs requests to an AWS service that are not the SDK's own, by Signature Version 4: those of OpenTelemetry to
// CloudWatch.
type Signer struct {
	Credentials aws.CredentialsProvider // of a configuration of [Load]
	Region      string
	Service     string // as in [OTLPEndpoint]
	Now         func() time.Time
}

// Sign signs a request whose body, as it goes over the wire, is given. It sets headers and nothing else. The error of
// credentials that cannot be had is an [Error].
func (s *Signer) Sign(ctx context.Context, r *http.Request, body []byte) error {
	c, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		return Explain(err)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, c, r, hex.EncodeToString(sum[:]), s.Service, s.Region, now())
}

// otlpHost is an endpoint of CloudWatch that takes metrics: the region's, its FIPS and dual-stack forms, and a VPC
// endpoint's.
var otlpHost = regexp.MustCompile(`^(?:vpce-[a-z0-9-]+\.)?(monitoring)(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws)$`)

// OTLPEndpoint is the service and the region that requests to a URL are to be signed for; ok says that it is AWS's.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
func OTLPEndpoint(text string) (service, region string, ok bool) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", false
	}
	m := otlpHost.FindStringSubmatch(u.Hostname())
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
