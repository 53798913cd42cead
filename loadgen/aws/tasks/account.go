package tasks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"scalableappbackend/loadgen/aws/session"
)

// Account asks AWS what room an account has. The two calls are signed and made by hand: EC2's client alone would add megabytes
// to an image of twenty.
type Account struct{ Config aws.Config }

// accountWait is how long a call may take.
const accountWait = 10 * time.Second

// Addresses is how many addresses are free in subnets (ec2:DescribeSubnets, AvailableIpAddressCount).
func (a *Account) Addresses(ctx context.Context, subnets []string) (int, error) {
	form := url.Values{"Action": {"DescribeSubnets"}, "Version": {"2016-11-15"}}
	for i, s := range subnets {
		form.Set("SubnetId."+strconv.Itoa(i+1), s)
	}
	body, err := a.call(ctx, "ec2", "DescribeSubnets", []byte(form.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}})
	if err != nil {
		return 0, err
	}
	var answer struct {
		Subnets []struct {
			Free int `xml:"availableIpAddressCount"`
		} `xml:"subnetSet>item"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return 0, errors.New("EC2 DescribeSubnets: the answer is not the XML that is documented")
	}
	sum := 0
	for _, s := range answer.Subnets {
		sum += s.Free
	}
	return sum, nil
}

// VCPUs is the account's quota of Fargate On-Demand vCPUs in the region (servicequotas:GetServiceQuota, L-3032A538).
func (a *Account) VCPUs(ctx context.Context) (int, error) {
	body, err := a.call(ctx, "servicequotas", "GetServiceQuota", []byte(`{"ServiceCode":"fargate","QuotaCode":"L-3032A538"}`), http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"ServiceQuotasV20190624.GetServiceQuota"},
	})
	if err != nil {
		return 0, err
	}
	var answer struct {
		Quota struct{ Value *float64 }
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Quota.Value == nil {
		return 0, errors.New("the answer of Service Quotas to GetServiceQuota is not the JSON that is documented")
	}
	return int(*answer.Quota.Value), nil
}

// endpoint is where a service is asked: where everything is, if one place was given, else the service's own address.
func (a *Account) endpoint(service string) string {
	if base := aws.ToString(a.Config.BaseEndpoint); base != "" {
		return strings.TrimSuffix(base, "/") + "/"
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(a.Config.Region, "cn-") {
		domain = "amazonaws.com.cn"
	}
	return fmt.Sprintf("https://%s.%s.%s/", service, a.Config.Region, domain)
}

// call signs a request with SigV4, sends it and returns the answer. Its error names the operation and, of a refusal, the missing action.
func (a *Account) call(ctx context.Context, service, operation string, body []byte, header http.Header) ([]byte, error) {
	name := map[string]string{"ec2": "EC2", "servicequotas": "Service Quotas"}[service] + " " + operation
	ctx, cancel := context.WithTimeout(ctx, accountWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint(service), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r.Header = header
	credentials, err := a.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, session.Explain(err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), service, a.Config.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	client := a.Config.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, session.Explain(err))
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: the answer broke off: %w", name, err)
	}
	if answer.StatusCode == http.StatusOK {
		return data, nil
	}
	return nil, refusal(name, service+":"+operation, answer.StatusCode, data)
}

// refusal is an answer that is none: EC2's in XML, the other's in JSON.
func refusal(name, action string, status int, data []byte) error {
	var x struct {
		Code    string `xml:"Errors>Error>Code"`
		Message string `xml:"Errors>Error>Message"`
	}
	code, message := "", ""
	if xml.Unmarshal(data, &x) == nil && x.Code != "" {
		code, message = x.Code, x.Message
	} else {
		var j struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		_ = json.Unmarshal(data, &j) // else there is nothing but the status
		code, message = j.Type[strings.LastIndexByte(j.Type, '#')+1:], j.Message
	}
	if status == http.StatusForbidden && (code == "" || strings.Contains(code, "AccessDenied") || code == "UnauthorizedOperation") {
		return fmt.Errorf("%s: not allowed to %s", name, action)
	}
	if code == "" {
		return fmt.Errorf("%s: status %d", name, status)
	}
	return fmt.Errorf("%s: %s", name, strings.Join(strings.Fields(code+": "+message), " "))
}
