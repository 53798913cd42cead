package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"scalableappbackend/loadgen/aws/session"
)

// environment makes the process's environment one in which nothing of AWS is set but what is given.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for name, value := range set {
		t.Setenv(name, value)
	}
}

var keys = map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

// put puts an object to whatever the environment says.
func put(t *testing.T) error {
	t.Helper()
	cfg, err := session.Load(t.Context(), session.Options{MaxAttempts: 1})
	if err != nil {
		return err
	}
	_, err = s3.NewFromConfig(cfg).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("x")})
	return session.Explain(err)
}

func TestWhatServiceAnswersIsOnePlainLine(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		code, text string
		kind       session.Kind
		want       string
	}{
		"expired":      {400, "ExpiredToken", "The provided token has expired.", session.Expired, "S3 PutObject: the AWS credentials have expired"},
		"clock":        {403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", session.ClockSkew, "S3 PutObject: this machine's clock differs from AWS's: RequestTimeTooSkewed: The difference between the request time and the current time is too large."},
		"key":          {403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", session.BadKey, "S3 PutObject: AWS refuses these credentials: InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."},
		"denied":       {403, "AccessDenied", "Access Denied", session.Denied, "S3 PutObject: not allowed to s3:PutObject: Access Denied"},
		"another's":    {403, "AccessDenied", "User: arn:aws:sts::1:assumed-role/r/t is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x", session.Denied, "S3 PutObject: not allowed to kms:GenerateDataKey: User: arn:aws:sts::1:assumed-role/r/t is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x"},
		"bucket":       {404, "NoSuchBucket", "The specified bucket does not exist", session.NoBucket, "S3 PutObject: the bucket does not exist"},
		"region":       {400, "AuthorizationHeaderMalformed", "The authorization header is malformed; the region 'eu-central-1' is wrong; expecting 'eu-west-1'", session.WrongRegion, "S3 PutObject: the bucket is in region eu-west-1"},
		"redirect":     {301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint.", session.WrongRegion, "S3 PutObject: the bucket is in another region: PermanentRedirect: The bucket you are attempting to access must be addressed using the specified endpoint."},
		"slow down":    {503, "SlowDown", "Please reduce your request rate.", session.Throttled, "S3 PutObject: AWS asks to be called less often: SlowDown: Please reduce your request rate."},
		"server error": {500, "InternalError", "We encountered an internal error.\nPlease try again.\x1b[31m", session.ServerError, "S3 PutObject: InternalError: We encountered an internal error. Please try again. [31m"},
		"unknown code": {400, "Strange", "never seen", session.Other, "S3 PutObject: Strange: never seen"},
		"unknown 5xx":  {502, "Strange", "never seen", session.ServerError, "S3 PutObject: Strange: never seen"},
		"there":        {412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", session.Exists, "S3 PutObject: PreconditionFailed: At least one of the pre-conditions you specified did not hold"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, keys)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(c.status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>", c.code, strings.ReplaceAll(c.text, "\x1b", "&#x9;"))
			}))
			defer s.Close()
			t.Setenv("AWS_ENDPOINT_URL_S3", s.URL)
			err := put(t)
			if err == nil || err.Error() != c.want || session.KindOf(err) != c.kind {
				t.Errorf("got  %v (%s)\nwant %s (%s)", err, session.KindOf(err), c.want, c.kind)
			}
		})
	}
}

func TestNoCredentialsIsSaidBeforeAnythingIsSent(t *testing.T) {
	asked := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer s.Close()
	environment(t, map[string]string{"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL_S3": s.URL})
	err := put(t)
	if err == nil || err.Error() != "S3 PutObject: no AWS credentials were found" || session.KindOf(err) != session.NoCredentials || asked {
		t.Errorf("got %v (%s), asked: %v", err, session.KindOf(err), asked)
	}
	if e, ok := errors.AsType[*session.Error](err); !ok || !strings.Contains(e.Hint, "AWS_PROFILE") {
		t.Errorf("hint: %+v", e)
	}
}

func TestCredentialsOfTaskThatAreNotGivenAreNoCredentials(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"code":"NoRole","message":"no role"}`, 400)
	}))
	defer s.Close()
	environment(t, map[string]string{"AWS_REGION": "eu-central-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI": s.URL, "AWS_ENDPOINT_URL_S3": s.URL})
	err := put(t)
	if session.KindOf(err) != session.NoCredentials || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v (%s)", err, session.KindOf(err))
	}
}

func TestWhatIsNotThereIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	for name, c := range map[string]struct{ url, want string }{
		"nobody listens":        {closed, "no answer from " + closed + ": connection refused"},
		"certificate of ours":   {tls.URL, "its certificate is not trusted"},
		"a host without a name": {"http://nowhere.invalid", "no answer from http://nowhere.invalid"},
	} {
		environment(t, keys)
		t.Setenv("AWS_ENDPOINT_URL_S3", c.url)
		if err := put(t); session.KindOf(err) != session.Unreachable || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v (%s), want %s", name, err, session.KindOf(err), c.want)
		}
	}
}

func TestAnswerThatDoesNotComeIsTimedOut(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	environment(t, keys)
	t.Setenv("AWS_ENDPOINT_URL_S3", s.URL)
	cfg, err := session.Load(t.Context(), session.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s3.NewFromConfig(cfg).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("b")})
	if session.KindOf(err) != session.Unreachable || !strings.HasSuffix(session.Explain(err).Error(), "timed out") {
		t.Errorf("got %v (%s)", session.Explain(err), session.KindOf(err))
	}
}

func TestAnswersWithoutBodyAreKnownByStatus(t *testing.T) {
	for status, want := range map[int]session.Kind{403: session.Denied, 404: session.NoBucket, 301: session.WrongRegion, 503: session.ServerError} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		environment(t, keys)
		t.Setenv("AWS_ENDPOINT_URL_S3", s.URL)
		cfg, err := session.Load(t.Context(), session.Options{MaxAttempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s3.NewFromConfig(cfg).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("b")})
		e, _ := errors.AsType[*session.Error](session.Explain(err))
		if e.Kind != want || want == session.Denied && e.Action != "s3:ListBucket" {
			t.Errorf("%d: got %+v", status, e)
		}
		s.Close()
	}
}

// What other services answer, as their SDKs give it.
func TestErrorsOfOtherServicesAreKnown(t *testing.T) {
	for _, c := range []struct {
		service, operation, code, message string
		kind                              session.Kind
		want                              string
	}{
		{"CloudWatch", "PutMetricData", "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: cloudwatch:PutMetricData because no identity-based policy allows the cloudwatch:PutMetricData action", session.Denied, "not allowed to cloudwatch:PutMetricData"},
		{"Application Auto Scaling", "DescribeScalingActivities", "AccessDeniedException", "", session.Denied, "not allowed to application-autoscaling:DescribeScalingActivities"},
		{"ECS", "RunTask", "AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/task", session.Denied, "not allowed to iam:PassRole"},
		{"ECS", "DescribeServices", "InvalidSignatureException", "Signature expired: 20261128T000000Z is now earlier than 20261128T095500Z", session.ClockSkew, "clock differs"},
		{"Elastic Load Balancing v2", "DescribeTargetHealth", "SignatureDoesNotMatch", "Signature not yet current: 20261128T120000Z is still later than 20261128T100500Z", session.ClockSkew, "clock differs"},
		{"ECS", "DescribeServices", "UnrecognizedClientException", "The security token included in the request is invalid.", session.BadKey, "AWS refuses these credentials"},
		{"ECS", "DescribeServices", "ClusterNotFoundException", "Cluster not found.", session.NotFound, "not found: ClusterNotFoundException: Cluster not found."},
		{"CloudWatch", "PutMetricData", "Throttling", "Rate exceeded", session.Throttled, "Throttling: Rate exceeded"},
		{"ECS", "RunTask", "ThrottlingException", "Rate exceeded", session.Throttled, "ThrottlingException: Rate exceeded"},
		{"EC2", "DescribeSubnets", "UnauthorizedOperation", "You are not authorized to perform this operation.", session.Denied, "not allowed to ec2:DescribeSubnets"},
		{"Of Tomorrow", "Try", "AccessDenied", "no", session.Denied, "Of Tomorrow Try: not allowed: no"},
	} {
		err := &smithy.OperationError{ServiceID: c.service, OperationName: c.operation, Err: &smithy.GenericAPIError{Code: c.code, Message: c.message}}
		got := session.Explain(fmt.Errorf("around: %w", err))
		if session.KindOf(err) != c.kind || !strings.Contains(got.Error(), c.want) || !errors.Is(got, err) {
			t.Errorf("got %v (%s), want %s (%s)", got, session.KindOf(err), c.want, c.kind)
		}
	}
}

func TestWithoutRegionNothingIsCalled(t *testing.T) {
	environment(t, map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
	if err := put(t); session.KindOf(err) != session.NoRegion {
		t.Errorf("got %v (%s)", err, session.KindOf(err))
	}
	environment(t, map[string]string{"AWS_PROFILE": "of nobody"})
	if err := put(t); session.KindOf(err) != session.NoCredentials || !strings.Contains(err.Error(), `the AWS profile "of nobody" does not exist`) {
		t.Errorf("got %v (%s)", err, session.KindOf(err))
	}
}

func TestWhatIsExplainedStaysSo(t *testing.T) {
	e := &session.Error{Kind: session.Denied, Text: "said before"}
	if got := session.Explain(fmt.Errorf("more: %w", e)); got != error(e) {
		t.Errorf("got %v", got)
	}
	if session.Explain(nil) != nil || session.KindOf(nil) != "" {
		t.Error("nothing has an explanation")
	}
	if got := session.Explain(context.Canceled); session.KindOf(got) != session.Canceled {
		t.Errorf("got %v", got)
	}
}
