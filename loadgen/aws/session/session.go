// Package session is the one place that makes a configuration for AWS's APIs, and that says in one plain line what went
// wrong with a call to them.
//
// [Load] takes region, credentials and endpoints from where the AWS command line takes them: variables, the shared files, an
// ECS task's role, an instance's role. The SDK reads the environment for that, so only a program calls Load; every package
// below loadgen/aws takes the aws.Config that it gave, or an interface of the few calls that it makes, and tests give them
// one for an httptest server.
//
// [Explain] turns an error of any service of the SDK into an [Error]: what kind of trouble it is, the action that a
// policy must allow, and one line without request ids, line breaks and control characters. It decides by types, error codes and HTTP
// statuses, and reads a message only where AWS gives what is needed nowhere else: the name of a missing action, and the region of a bucket.
package session

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// How long a call may hang. An endpoint that is not there is known after the first; one that takes a connection and does not
// answer, after the second.
const (
	dialTimeout   = 3 * time.Second
	headerTimeout = 15 * time.Second
)

// Options are what a program says of its calls. The zero value is ready to use.
type Options struct {
	// Region overrides what the environment and the shared files say.
	Region string
	// Version is the program's, for the user agent.
	Version string
	// MaxAttempts is how often a call is tried, with backoff between; 0 is the SDK's 3.
	MaxAttempts int
}

// Config is the SDK's, for programs, which do not import it.
type Config = aws.Config

// Load makes a configuration. It makes no call: credentials are fetched with the first one, and what is wrong with them is
// that call's error. A missing region, a profile that does not exist and a shared file that cannot be read are an [Error] here.
func Load(ctx context.Context, o Options) (aws.Config, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = headerTimeout })
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithAppID(appID(o.Version)),
		config.WithLogger(logging.Nop{}), // what goes wrong is the call's error; a library prints nothing
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.MaxAttempts > 0 {
		options = append(options, config.WithRetryMaxAttempts(o.MaxAttempts))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, explainLoad(err)
	}
	if cfg.Region == "" {
		return aws.Config{}, &Error{Kind: NoRegion, Text: "no AWS region is set", Hint: "set AWS_REGION, e.g. AWS_REGION=eu-central-1"}
	}
	cfg.Credentials = Credentials(cfg.Credentials)
	return cfg, nil
}

// appID is what the user agent says of this program; the SDK takes 50 bytes.
func appID(version string) string {
	id := "loadgen"
	if version != "" {
		id += "-" + version
	}
	return id[:min(len(id), 50)]
}

// Credentials marks the errors of a provider, so that [Explain] knows them from those of a service. A configuration of
// [Load] has it already.
func Credentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return marked{p}
}

type marked struct{ aws.CredentialsProvider }

func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := m.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &credentialsError{err}
	}
	return c, err
}

// Invalidate has the next call fetch credentials again, where the provider keeps them: a service may know sooner than
// their date says that they have expired.
func (m marked) Invalidate() {
	if cache, ok := m.CredentialsProvider.(interface{ Invalidate() }); ok {
		cache.Invalidate()
	}
}

// credentialsError is a provider's.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

func explainLoad(err error) error {
	if e, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return &Error{Kind: NoCredentials, Text: "the AWS profile " + quote(e.Profile) + " does not exist", Hint: "aws configure list-profiles shows those that do", Err: err}
	}
	return &Error{Kind: Other, Text: "the AWS configuration cannot be read: " + oneLine(err.Error()), Err: err}
}
