package awstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// What every ARN of the fake has.
const (
	Region  = "eu-central-1"
	Account = "111122223333"
)

// Handler answers a call: its input as [Object] has it to its output, or an *[Error].
type Handler func(in Object) (Object, error)

// Fake is a http.Handler. It is safe for concurrent use.
type Fake struct {
	now func() time.Time

	mu       sync.Mutex
	handlers map[string]Handler
	faults   map[string]*Fault
	calls    []Call
	arrange  func(n int) []int
	world    world
}

// Call is one that was made.
type Call struct {
	Action string // as IAM names it: ecs:DescribeServices
	At     time.Time
	In     Object
}

// Fault is what becomes of calls of an action.
type Fault struct {
	// Err is the answer, an *Error; nil answers as always.
	Err error
	// Delay is how long a call waits, whatever it answers; it ends with the request.
	Delay time.Duration
	// Times is how many calls it is for; 0: all.
	Times int
}

// Error is an API's error.
type Error struct {
	Status        int // 0: 400
	Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The errors that every API has.
var (
	Throttled   = &Error{Code: "ThrottlingException", Message: "Rate exceeded"}
	Unavailable = &Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The service is unavailable."}
	Expired     = &Error{Status: http.StatusForbidden, Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
)

// New is a fake on a clock, which reads what its facts are compared with.
func New(now func() time.Time) *Fake {
	f := &Fake{now: now, handlers: map[string]Handler{}, faults: map[string]*Fault{}}
	f.ecs()
	f.elb()
	f.cloudwatch()
	f.autoscaling()
	f.logs()
	return f
}

// Handle answers calls of an action ("ecs:RunTask") by h, in place of what the fake would say.
func (f *Fake) Handle(action string, h Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handlers[action] = h
}

// Fail lets calls of an action fail, or wait; a nil fault ends that.
func (f *Fake) Fail(action string, fault *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault == nil {
		delete(f.faults, action)
		return
	}
	copied := *fault
	f.faults[action] = &copied
}

// Deny takes the permission for actions away.
func (f *Fake) Deny(actions ...string) {
	for _, action := range actions {
		f.Fail(action, &Fault{Err: Denied(action)})
	}
}

// Denied is the refusal of an action in the words that IAM has for it.
func Denied(action string) *Error {
	code := "AccessDeniedException"
	if service, _, _ := strings.Cut(action, ":"); service == "elasticloadbalancing" {
		code = "AccessDenied"
	}
	return &Error{Status: http.StatusForbidden, Code: code, Message: fmt.Sprintf(
		"User: arn:aws:sts::%s:assumed-role/loadgen/1 is not authorized to perform: %s on resource: * because no identity-based policy allows the %s action", Account, action, action)}
}

// Arrange puts the elements of every list of an answer in the order that order gives for their number, a permutation in which
// some may stand twice; nil: in their own.
func (f *Fake) Arrange(order func(n int) []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrange = order
}

// Calls are those that were made, of one action or, for "", of all.
func (f *Fake) Calls(action string) []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.calls), func(c Call) bool { return action != "" && c.Action != action })
}

// Config makes the SDK's clients talk to the fake at a URL. A failed call is made up to three times, at once.
func (f *Fake) Config(url string) aws.Config {
	return aws.Config{
		Region: Region, BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return retryer{} },
	}
}

// retryer is the SDK's decision what to try again, without its pauses.
type retryer struct{}

func (retryer) IsErrorRetryable(err error) bool {
	code := interface{ ErrorCode() string }(nil)
	return errors.As(err, &code) && (code.ErrorCode() == Throttled.Code || code.ErrorCode() == Unavailable.Code)
}
func (retryer) MaxAttempts() int                             { return 3 }
func (retryer) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
func (retryer) GetInitialToken() func(error) error           { return func(error) error { return nil } }
func (retryer) GetRetryToken(context.Context, error) (func(error) error, error) {
	return func(error) error { return nil }, nil
}

// ServeHTTP answers a call of any of the APIs.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	c, err := read(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := f.answer(r.Context(), c)
	if r.Context().Err() != nil {
		return
	}
	if err == nil {
		c.wire.write(w, c, out)
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
	}
	if e.Status == 0 {
		e = &Error{Status: http.StatusBadRequest, Code: e.Code, Message: e.Message}
	}
	c.wire.fail(w, c, e)
}

func (f *Fake) answer(ctx context.Context, c *call) (Object, error) {
	f.mu.Lock()
	f.calls = append(f.calls, Call{c.action, f.now(), c.in})
	handler, fault := f.handlers[c.action], f.faults[c.action]
	if fault != nil && fault.Times > 0 {
		if fault.Times--; fault.Times == 0 {
			delete(f.faults, c.action)
		}
	}
	f.mu.Unlock()
	if fault != nil && fault.Delay > 0 {
		wait := time.NewTimer(fault.Delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fault != nil && fault.Err != nil {
		return nil, fault.Err
	}
	if handler == nil {
		return nil, &Error{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "the fake does not have " + c.action}
	}
	return handler(c.in)
}

// arranged is a list of an answer in the order that was asked for.
func (f *Fake) arranged(list []any) []any {
	if f.arrange == nil {
		return list
	}
	out := make([]any, 0, len(list))
	for _, i := range f.arrange(len(list)) {
		out = append(out, list[i])
	}
	return out
}

// page is the part of a list that a token names, at most size long, and the token of the next one; "" is the end.
func page(list []any, token string, size int) (part []any, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(strings.TrimPrefix(token, "page-")); err != nil || from > len(list) {
			return nil, "", &Error{Code: "InvalidNextTokenException", Message: "The token is not valid."}
		}
	}
	to := min(from+size, len(list))
	if to < len(list) {
		next = "page-" + strconv.Itoa(to)
	}
	return list[from:to], next, nil
}

// arn is one of the fake's account.
func arn(service, resource string) string {
	return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + resource
}
