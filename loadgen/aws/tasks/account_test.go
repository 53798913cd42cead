package tasks

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"scalableappbackend/loadgen/aws/session"
)

// The shapes are those of the API references: EC2 query with XML, Service Quotas JSON 1.1.
func TestTheAccountIsAskedForAddressesAndQuota(t *testing.T) {
	answers := map[string]struct {
		status int
		body   string
	}{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		operation := r.Header.Get("X-Amz-Target")
		if operation == "" {
			operation = "ec2"
			if want := "Action=DescribeSubnets&SubnetId.1=subnet-1&SubnetId.2=subnet-2&Version=2016-11-15"; string(body) != want {
				t.Errorf("the body is %s, want %s", body, want)
			}
		}
		if a := r.Header.Get("Authorization"); !strings.HasPrefix(a, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(a, "/eu-central-1/") {
			t.Errorf("signed with %q", a)
		}
		a := answers[operation]
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	defer server.Close()
	account := Account{Config: aws.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "x"}, nil
		})}}
	const quota = "ServiceQuotasV20190624.GetServiceQuota"

	type answer = struct {
		status int
		body   string
	}
	answers["ec2"] = answer{200, `<DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><subnetSet>
		<item><subnetId>subnet-1</subnetId><availableIpAddressCount>250</availableIpAddressCount></item>
		<item><subnetId>subnet-2</subnetId><availableIpAddressCount>11</availableIpAddressCount></item></subnetSet></DescribeSubnetsResponse>`}
	answers[quota] = answer{200, `{"Quota":{"ServiceCode":"fargate","QuotaCode":"L-3032A538","Value":140.0,"Adjustable":true}}`}
	if n, err := account.Addresses(t.Context(), []string{"subnet-1", "subnet-2"}); n != 261 || err != nil {
		t.Errorf("%d addresses, %v", n, err)
	}
	if n, err := account.VCPUs(t.Context()); n != 140 || err != nil {
		t.Errorf("%d vCPUs, %v", n, err)
	}

	for _, row := range []struct {
		answer answer
		want   string
	}{
		{answer{403, `{"__type":"AccessDeniedException","message":"User: arn is not authorized"}`}, "Service Quotas GetServiceQuota: not allowed to servicequotas:GetServiceQuota"},
		{answer{400, `{"__type":"com.amazonaws#NoSuchResourceException","message":"no such\nquota"}`}, "Service Quotas GetServiceQuota: NoSuchResourceException: no such quota"},
		{answer{500, ``}, "Service Quotas GetServiceQuota: status 500"},
		{answer{200, `{}`}, "the answer of Service Quotas to GetServiceQuota is not the JSON that is documented"},
	} {
		answers[quota] = row.answer
		if _, err := account.VCPUs(t.Context()); err == nil || err.Error() != row.want {
			t.Errorf("%v, want %s", err, row.want)
		}
	}
	answers["ec2"] = answer{403, `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform this operation.</Message></Error></Errors><RequestID>1</RequestID></Response>`}
	if _, err := account.Addresses(t.Context(), []string{"subnet-1", "subnet-2"}); err == nil || err.Error() != "EC2 DescribeSubnets: not allowed to ec2:DescribeSubnets" {
		t.Errorf("%v", err)
	}
	server.Close()
	if _, err := account.VCPUs(t.Context()); session.KindOf(err) != session.Unreachable {
		t.Errorf("%v", err)
	}
	account.Config.Credentials = session.Credentials(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") }))
	if _, err := account.VCPUs(t.Context()); session.KindOf(err) != session.NoCredentials {
		t.Errorf("%v", err)
	}
}
