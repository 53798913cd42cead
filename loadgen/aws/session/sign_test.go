package session

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// The signature is checked as AWS would: made again of what is in the request, by the steps of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestASignedRequestHoldsWhatAWSVerifies(t *testing.T) {
	body := []byte("compressed")
	r, err := http.NewRequest("POST", "https://monitoring.eu-west-1.amazonaws.com/v1/metrics", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("Content-Encoding", "gzip")
	s := Signer{
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", "TOKEN"), Region: "eu-west-1", Service: "monitoring",
		Now: func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) },
	}
	if err := s.Sign(t.Context(), r, body); err != nil {
		t.Fatal(err)
	}
	got := r.Header.Get("Authorization")
	if want := "AWS4-HMAC-SHA256 Credential=AKID/20260304/eu-west-1/monitoring/aws4_request, SignedHeaders="; !strings.HasPrefix(got, want) {
		t.Errorf("Authorization %q, want %q…", got, want)
	}
	_, signed, _ := strings.Cut(got, "SignedHeaders=")
	signed, signature, _ := strings.Cut(signed, ", Signature=")
	for _, name := range []string{"content-encoding", "content-type", "host", "x-amz-date", "x-amz-security-token"} {
		if !strings.Contains(";"+signed+";", ";"+name+";") {
			t.Errorf("%s is not signed: %s", name, signed)
		}
	}
	if want := signatureOf(r, body, signed); signature != want {
		t.Errorf("signature %s, want %s", signature, want)
	}
	// Another body is another signature.
	again := r.Clone(t.Context())
	if err := s.Sign(t.Context(), again, []byte("other")); err != nil || again.Header.Get("Authorization") == got {
		t.Errorf("a changed body has the same signature; %v", err)
	}
}

func signatureOf(r *http.Request, body []byte, signed string) string {
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n" + r.URL.Path + "\n\n")
	for name := range strings.SplitSeq(signed, ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.URL.Host
		case "content-length":
			value = decimal(r.ContentLength)
		}
		canonical.WriteString(name + ":" + value + "\n")
	}
	canonical.WriteString("\n" + signed + "\n" + sha(body))
	text := "AWS4-HMAC-SHA256\n20260304T050607Z\n20260304/eu-west-1/monitoring/aws4_request\n" + sha([]byte(canonical.String()))
	key := []byte("AWS4SECRET")
	for _, part := range []string{"20260304", "eu-west-1", "monitoring", "aws4_request"} {
		key = mac(key, part)
	}
	return hexOf(mac(key, text))
}

func TestWithoutCredentialsTheErrorIsOneLine(t *testing.T) {
	none := Credentials(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found, operation error ec2imds\ndial tcp")
	}))
	r, _ := http.NewRequest("POST", "https://monitoring.eu-west-1.amazonaws.com/v1/metrics", nil)
	err := (&Signer{Credentials: none, Region: "eu-west-1", Service: "monitoring"}).Sign(t.Context(), r, nil)
	if KindOf(err) != NoCredentials || err.Error() != "no AWS credentials were found" {
		t.Errorf("%v", err)
	}
}

func TestWhichURLsAreCloudWatchs(t *testing.T) {
	for text, region := range map[string]string{
		"https://monitoring.us-east-1.amazonaws.com/v1/metrics":                                   "us-east-1",
		"https://monitoring.us-east-1.amazonaws.com:443/v1/metrics":                               "us-east-1",
		"https://monitoring-fips.us-gov-west-1.amazonaws.com/v1/metrics":                          "us-gov-west-1",
		"https://monitoring.cn-north-1.amazonaws.com.cn/v1/metrics":                               "cn-north-1",
		"https://monitoring.eu-west-1.api.aws/v1/metrics":                                         "eu-west-1",
		"https://vpce-0a1b2c3d-x9y8.monitoring.ap-southeast-2.vpce.amazonaws.com/v1/metrics":      "ap-southeast-2",
		"http://localhost:4318/v1/metrics":                                                        "",
		"https://monitoring.us-east-1.amazonaws.com.evil.test/v1/metrics":                         "",
		"https://xmonitoring.us-east-1.amazonaws.com/v1/metrics":                                  "",
		"https://logs.us-east-1.amazonaws.com/v1/logs":                                            "",
		"https://elb-1.us-east-1.elb.amazonaws.com/?x=https://monitoring.us-east-1.amazonaws.com": "",
		"http://%zz": "",
	} {
		service, got, ok := OTLPEndpoint(text)
		if got != region || ok != (region != "") || ok && service != "monitoring" {
			t.Errorf("%s: %q %q %v, want %q", text, service, got, ok, region)
		}
	}
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hexOf(sum[:])
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
