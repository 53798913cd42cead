package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind is a kind of trouble with a call.
type Kind string

// The kinds. What a caller can do differs between them: Throttled, Unreachable and ServerError may pass, the others do not.
const (
	NoRegion      Kind = "no region"
	NoCredentials Kind = "no credentials" // none were found, or the provider of them failed
	BadKey        Kind = "refused credentials"
	Expired       Kind = "expired credentials"
	ClockSkew     Kind = "clock skew"
	Denied        Kind = "missing permission" // Error.Action names it
	NoBucket      Kind = "unknown bucket"
	WrongRegion   Kind = "bucket in another region"
	NotFound      Kind = "not found"
	Exists        Kind = "exists already" // a conditional write found that the object is there
	Throttled     Kind = "throttled"
	ServerError   Kind = "server error"
	Unreachable   Kind = "unreachable"
	Canceled      Kind = "canceled"
	Other         Kind = "other"
)

// Error is a call's error in one line.
type Error struct {
	Kind      Kind
	Operation string // service and operation, e.g. "S3 PutObject"; empty when no call was made
	Action    string // of Denied: what a policy must allow, e.g. "s3:PutObject"
	Text      string // what is wrong, in one line
	Hint      string // what to try; may be empty
	Err       error  // the SDK's
}

// Error is "OPERATION: TEXT".
func (e *Error) Error() string {
	if e.Operation == "" {
		return e.Text
	}
	return e.Operation + ": " + e.Text
}

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// Passes reports whether the same call may succeed later.
func (e *Error) Passes() bool {
	return e.Kind == Throttled || e.Kind == ServerError || e.Kind == Unreachable
}

// KindOf is the kind of an error; empty for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return explain(err).Kind
}

// Explain says what an error of a call means; nil for nil. What is an [Error] already stays as it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	return explain(err)
}

func explain(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Kind: Other, Err: err}
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		e.Operation = op.ServiceID + " " + op.OperationName
	}
	c, fromProvider := errors.AsType[*credentialsError](err)
	api, fromService := errors.AsType[smithy.APIError](err)
	status, region := answered(err)
	switch {
	case fromProvider:
		e.provider(c)
	case fromService:
		e.service(api, status, region)
	case e.network(err):
	case status >= 300: // what stands before a service answers without one of its errors
		e.Kind = kindOfCode("", "", status)
		e.Text = strings.TrimSpace("HTTP " + strconv.Itoa(status) + " " + http.StatusText(status))
	default:
		e.Text = oneLine(innermost(err).Error())
	}
	return e
}

// provider explains why there are no credentials.
func (e *Error) provider(err error) {
	e.Kind, e.Hint = NoCredentials, "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; an ECS task needs a task role"
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok {
		e.Kind, e.Text, e.Hint = Expired, "the AWS sign-in has expired", "aws sso login renews it"
		return
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && slices.Contains(codesOf[Expired], api.ErrorCode()) {
		e.Kind, e.Text, e.Hint = Expired, "the AWS credentials have expired", renew
		return
	}
	// "…, no EC2 IMDS role found, …: dial tcp …" is the end of the chain: nothing is configured.
	if text := err.Error(); strings.Contains(text, "no EC2 IMDS role found") {
		e.Text = "no AWS credentials were found"
	} else {
		e.Text = "no AWS credentials: " + oneLine(strings.TrimPrefix(text, "failed to refresh cached credentials, "))
	}
}

const renew = "sign in again, or renew AWS_SESSION_TOKEN"

// codesOf are the error codes of a kind, in the spellings of all services.
var codesOf = map[Kind][]string{
	Expired:     {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"},
	ClockSkew:   {"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"},
	BadKey:      {"InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException"},
	Denied:      {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "AllAccessDisabled", "NotAuthorized", "Forbidden"},
	NoBucket:    {"NoSuchBucket", "InvalidBucketName"},
	WrongRegion: {"PermanentRedirect", "MovedPermanently", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
	NotFound:    {"NoSuchKey", "NotFound", "ResourceNotFoundException", "ResourceNotFound", "ClusterNotFoundException", "ServiceNotFoundException", "ObjectNotFoundException"},
	Exists:      {"PreconditionFailed", "ConditionalRequestConflict"},
	Throttled:   {"SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException"},
	ServerError: {"InternalError", "InternalFailure", "InternalServerError", "InternalServiceError", "InternalServiceException", "InternalServiceFault", "ServiceUnavailable", "ServiceUnavailableException", "ServerException", "RequestTimeout"},
}

// service explains what a service answered.
func (e *Error) service(api smithy.APIError, status int, region string) {
	code, message := api.ErrorCode(), oneLine(api.ErrorMessage())
	e.Kind = kindOfCode(code, message, status)
	if e.Kind == NotFound && e.Operation == "S3 HeadBucket" {
		e.Kind = NoBucket
	}
	told := code
	if message != "" && message != code {
		told += ": " + message
	}
	switch e.Kind {
	case Expired:
		e.Text, e.Hint = "the AWS credentials have expired", renew
	case ClockSkew:
		e.Text, e.Hint = "this machine's clock differs from AWS's: "+told, "set the clock (NTP)"
	case BadKey:
		e.Text, e.Hint = "AWS refuses these credentials: "+told, "look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
	case Denied:
		e.Action = e.missing(message)
		e.Text, e.Hint = "not allowed", "allow it in the policy of who runs this"
		if e.Action != "" {
			e.Text, e.Hint = "not allowed to "+e.Action, "allow "+e.Action+" in the policy of who runs this"
		}
		if message != "" && message != code {
			e.Text += ": " + message
		}
	case NoBucket:
		e.Text, e.Hint = "the bucket does not exist", "aws s3 mb makes one"
	case WrongRegion:
		e.Text, e.Hint = "the bucket is in another region: "+told, "set AWS_REGION to the bucket's region"
		if m := expected.FindStringSubmatch(message); m != nil {
			region = m[1]
		}
		if region != "" {
			e.Text, e.Hint = "the bucket is in region "+region, "set AWS_REGION="+region
		}
	case NotFound:
		e.Text = "not found: " + told
	case Throttled:
		e.Text = "AWS asks to be called less often: " + told
	default:
		e.Text = told
	}
}

// expected is the region in "the region 'us-east-1' is wrong; expecting 'eu-west-1'".
var expected = regexp.MustCompile(`expecting '([a-z0-9-]+)'`)

func kindOfCode(code, message string, status int) Kind {
	// Services other than S3 tell a wrong clock by a signature that is refused: "Signature expired: 20260101T000000Z is now
	// earlier than …", "Signature not yet current: …".
	if strings.HasPrefix(message, "Signature expired") || strings.HasPrefix(message, "Signature not yet current") {
		return ClockSkew
	}
	for kind, codes := range codesOf {
		if slices.Contains(codes, code) {
			return kind
		}
	}
	switch { // answers without a body, to HEAD
	case status == http.StatusMovedPermanently || status == http.StatusTemporaryRedirect:
		return WrongRegion
	case status == http.StatusForbidden:
		return Denied
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusPreconditionFailed:
		return Exists
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 500:
		return ServerError
	}
	return Other
}

// action is in "User: arn:… is not authorized to perform: s3:PutObject on resource: …".
var action = regexp.MustCompile(`perform: ([a-z0-9-]+:[A-Za-z0-9*]+)`)

// missing is the action that a policy must allow: the one that the message names, which may be another service's (a key of KMS),
// else the operation's own.
func (e *Error) missing(message string) string {
	if m := action.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	i := strings.LastIndexByte(e.Operation, ' ')
	if i < 0 {
		return ""
	}
	prefix, ok := policyPrefix[e.Operation[:i]]
	if !ok {
		return ""
	}
	name := e.Operation[i+1:]
	if prefix == "s3" {
		switch name {
		case "HeadObject":
			name = "GetObject"
		case "HeadBucket", "ListObjectsV2", "ListObjects":
			name = "ListBucket"
		}
	}
	return prefix + ":" + name
}

// policyPrefix is what policies call a service, by the SDK's name of it.
var policyPrefix = map[string]string{
	"S3":                        "s3",
	"STS":                       "sts",
	"ECS":                       "ecs",
	"EC2":                       "ec2",
	"CloudWatch":                "cloudwatch",
	"CloudWatch Logs":           "logs",
	"Application Auto Scaling":  "application-autoscaling",
	"Elastic Load Balancing v2": "elasticloadbalancing",
	"Service Quotas":            "servicequotas",
	"XRay":                      "xray",
}

// network explains why there was no answer; false when that is not what happened.
func (e *Error) network(err error) bool {
	host := "AWS"
	if u, ok := errors.AsType[*url.Error](err); ok {
		if at, bad := url.Parse(u.URL); bad == nil && at.Host != "" {
			host = at.Scheme + "://" + at.Host
		}
	}
	unreachable := func(why string) bool {
		e.Kind, e.Text, e.Hint = Unreachable, "no answer from "+host+": "+why, "is the region right, and has the subnet a way there (NAT gateway or VPC endpoint)?"
		return true
	}
	dns, isDNS := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	_, isRequest := errors.AsType[*smithyhttp.RequestSendError](err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Kind, e.Text = Canceled, "canceled"
		return true
	case isDNS && dns.IsNotFound:
		return unreachable("no such host")
	case isCertificate(err):
		unreachable("its certificate is not trusted: " + oneLine(innermost(err).Error()))
		e.Hint = "AWS_CA_BUNDLE names a file of certificates to trust"
		return true
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable("connection refused")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isNet && timeout.Timeout():
		return unreachable("timed out")
	case isRequest:
		return unreachable(oneLine(innermost(err).Error()))
	}
	return false
}

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

// answered is the status of the answer that an error is made of, 0 when there was none, and the region in which S3 says that
// the bucket is.
func answered(err error) (status int, region string) {
	r, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || r.Response == nil || r.Response.Response == nil {
		return 0, ""
	}
	return r.HTTPStatusCode(), r.Response.Header.Get("X-Amz-Bucket-Region")
}

// innermost is the cause at the bottom of a chain.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// oneLine is text without line breaks and control characters, and not without end.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(text); len(r) > 400 {
		text = string(r[:400]) + "…"
	}
	return text
}

func quote(text string) string { return strconv.Quote(oneLine(text)) }
