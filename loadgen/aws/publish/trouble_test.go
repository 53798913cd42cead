package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// patiently is a sink that loses nothing on a machine that is slow.
func patiently(config Config, conf aws.Config) *CloudWatch {
	s := NewCloudWatch(config, conf)
	s.times = times{start: 10 * time.Second, close: 10 * time.Second, finish: 10 * time.Second}
	return s
}

// quickly is a sink for which nothing will be accepted, as is soon known.
func quickly(config Config, conf aws.Config) *CloudWatch {
	s := NewCloudWatch(config, conf)
	s.times = times{start: time.Second, close: 1500 * time.Millisecond, finish: 300 * time.Millisecond}
	return s
}

// hang keeps a request until whoever made it has gone.
func hang(r *http.Request) { <-r.Context().Done() }

func TestTroubleThatPassesCostsNothing(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for name, trouble := range map[string]func(w http.ResponseWriter, r *http.Request){
		"throttled": func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
		},
		"throttled by status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"a fault of the service": func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusInternalServerError, "InternalServiceFault", "")
		},
		"503 of a balancer, in HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "<html>no</html>")
		},
		"502 without a body":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"a connection cut":         func(w http.ResponseWriter, _ *http.Request) { cut(w) },
		"an endpoint that is slow": func(w http.ResponseWriter, r *http.Request) { hang(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n != 1 && n != 2 {
					return true
				}
				trouble(w, r) // the run's first call, twice
				return false
			}
			sink := patiently(Config{}, c.config())
			if name == "an endpoint that is slow" {
				sink.sender.attempt = time.Second
			}
			if err := publishAll(t, sink, metaOf(), windowsOf(30, 1), result.Valid); err != nil {
				t.Fatal(err)
			}
			d := sink.Deliveries()[0]
			if d.Lost != 0 || d.Retries != 2 || d.Reason != "" || c.sum(Requests, whole) != 2400 {
				t.Errorf("%+v, %v requests: want nothing lost, and two second tries", d, c.sum(Requests, whole))
			}
		})
	}
}

func TestCredentialsThatExpireAreFetchedAgain(t *testing.T) {
	c := newCloud(t)
	provider := &rotating{lastsFor: time.Hour}
	conf := c.config()
	conf.Credentials = session.Credentials(aws.NewCredentialsCache(provider))
	c.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 0 && strings.Contains(r.Header.Get("Authorization"), "Credential=AKID1/") {
			refuse(w, http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
			return false
		}
		return true
	}
	sink := patiently(Config{}, conf)
	if err := publishAll(t, sink, metaOf(), windowsOf(30, 1), result.Valid); err != nil {
		t.Fatal(err)
	}
	if d := sink.Deliveries()[0]; d.Lost != 0 || d.Retries != 1 || provider.gave != 2 {
		t.Errorf("%+v, credentials fetched %d times", d, provider.gave)
	}
}

func TestAClockThatIsWrongIsSetRightForTheNextTry(t *testing.T) {
	for name, code := range map[string]struct{ code, message string }{
		"by a signature":    {"InvalidSignatureException", "Signature expired: 20261124T150435Z is now earlier than 20261124T152935Z"},
		"by a name for it":  {"RequestTimeTooSkewed", "The difference between the request time and the current time is too large."},
		"by a bad sign too": {"SignatureDoesNotMatch", "The request signature we calculated does not match"},
		"by another name":   {"RequestExpired", "Request has expired."},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			const off = 40 * time.Minute
			c.answer = func(_ int, w http.ResponseWriter, r *http.Request) bool {
				there := time.Now().Add(off)
				w.Header().Set("Date", there.UTC().Format(http.TimeFormat))
				at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if err == nil && there.Sub(at).Abs() < 5*time.Minute {
					return true
				}
				refuse(w, http.StatusForbidden, code.code, code.message)
				return false
			}
			sink := patiently(Config{}, c.config())
			if err := publishAll(t, sink, metaOf(), windowsOf(30, 1), result.Valid); err != nil {
				t.Fatal(err)
			}
			if d := sink.Deliveries()[0]; d.Lost != 0 || c.sum(Requests, whole) != 2400 {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestWhatCannotBePublishedRefusesTheRunBeforeItsFirstRequest(t *testing.T) {
	denied := func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		refuse(w, http.StatusForbidden, "AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/task is not authorized to perform: cloudwatch:PutMetricData because no identity-based policy allows it")
		return false
	}
	expired := func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		refuse(w, http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
		return false
	}
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no role for this task")
	})
	for name, x := range map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request) bool
		creds  aws.CredentialsProvider
		want   string
	}{
		"not allowed":    {denied, nil, "not allowed to cloudwatch:PutMetricData"},
		"expired":        {expired, nil, "the AWS credentials have expired"},
		"no credentials": {nil, none, "no AWS credentials: no role for this task"},
	} {
		c := newCloud(t)
		c.answer = x.answer
		conf := c.config()
		if x.creds != nil {
			conf.Credentials = session.Credentials(x.creds)
		}
		err := patiently(Config{}, conf).Start(metaOf())
		e, ok := errors.AsType[*input.Error](err)
		if !ok || e.Field != "--cloudwatch" || !strings.Contains(e.Error(), x.want) || strings.Contains(e.Error(), "\n") || e.Hint == "" {
			t.Errorf("%s: %v, want one line with %q and a hint", name, err, x.want)
		}
	}
}

func TestWhatIsLostIsCountedAndSaid(t *testing.T) {
	for name, x := range map[string]struct {
		answer  func(n int, w http.ResponseWriter, r *http.Request) bool
		lost    bool // all of it
		retried bool
		reason  string
	}{
		"an endpoint that never answers": {
			func(_ int, _ http.ResponseWriter, r *http.Request) bool { hang(r); return false },
			true, true, "not accepted before the run had to end: CloudWatch PutMetricData: no answer from ",
		},
		"throttled until the end": {
			func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				refuse(w, http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
				return false
			},
			true, true, "not accepted before the run had to end: CloudWatch PutMetricData: AWS asks to be called less often: ThrottlingException: Rate exceeded",
		},
		"the permission is taken away in mid-run": {
			func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n != 2 {
					return true
				}
				refuse(w, http.StatusForbidden, "AccessDenied", "")
				return false
			},
			false, false, "CloudWatch PutMetricData: not allowed to cloudwatch:PutMetricData",
		},
		"refused for what it is": {
			func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n != 2 {
					return true
				}
				refuse(w, http.StatusBadRequest, "InvalidParameterValueException", "The value for a parameter is invalid")
				return false
			},
			false, false, "CloudWatch PutMetricData: InvalidParameterValueException: The value for a parameter is invalid",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.answer = x.answer
			sink := patiently(Config{}, c.config())
			if x.lost {
				sink = quickly(Config{}, c.config())
			}
			if name == "an endpoint that never answers" {
				sink.sender.attempt = 300 * time.Millisecond
			}
			err := publishAll(t, sink, metaOf(), windowsOf(90, 1), result.Valid)
			d := sink.Deliveries()[0]
			if d.Lost == 0 || (d.Sent == 0) != x.lost || (d.Retries > 0) != x.retried || !strings.HasPrefix(d.Reason, x.reason) {
				t.Errorf("%+v, want the reason %q", d, x.reason)
			}
			if (err != nil) != x.lost {
				t.Errorf("error %v: want one when nothing at all was published", err)
			}
		})
	}
}

// stuckClient never answers.
type stuckClient struct{}

func (stuckClient) PutMetricData(ctx context.Context, _ *cloudwatch.PutMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

type answers struct{}

func (answers) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(3 * time.Millisecond)
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
}

// The load of a run that publishes to an endpoint which never answers is the load of one that does not publish, to the
// request; and it ends in time.
func TestAnEndpointThatNeverAnswersDoesNotTouchTheLoad(t *testing.T) {
	p := plan.Default()
	p.Host, p.Users, p.RunTime, p.Seed = "http://service", 5, plan.Duration(4*time.Minute), 1
	var books [2]result.Totals
	var lags [2]result.LagSummary
	for i := range books {
		synctest.Test(t, func(t *testing.T) {
			r := loadgen.Runner{Plan: p, Transport: answers{}, Judge: calm.Judge}
			sink := NewCloudWatch(Config{Resolution: time.Second}, aws.Config{Region: "r", Credentials: credentials.NewStaticCredentialsProvider("A", "B", "")})
			sink.sender.client = stuckClient{}
			if i == 1 {
				r.Sinks = []result.Sink{sink}
			}
			began := time.Now()
			res, err := r.Run(t.Context())
			if i == 1 {
				if took := time.Since(began) - sink.times.start - time.Duration(res.DurationS*float64(time.Second)); took > result.CloseTimeout {
					t.Errorf("the run ended %v after its load", took)
				}
				if d := res.Deliveries; err == nil || len(d) != 1 || d[0].Sent != 0 || d[0].Lost < 4000 || d[0].Reason != "too many calls were waiting" {
					t.Errorf("error %v, deliveries %+v", err, d)
				}
				if slices.ContainsFunc(res.Warnings, func(w string) bool { return strings.Contains(w, "too slow") || strings.Contains(w, "in time") }) {
					t.Errorf("warnings %q: the sink itself is not to be late", res.Warnings)
				}
			}
			books[i], lags[i] = res.Totals, res.Health.Lag
		})
	}
	if books[0].Requests != books[1].Requests || books[0].Latency != books[1].Latency || lags[0] != lags[1] {
		t.Errorf("without: %d requests, lag %+v, %+v\nwith: %d requests, lag %+v, %+v",
			books[0].Requests, lags[0], books[0].Latency.Corrected, books[1].Requests, lags[1], books[1].Latency.Corrected)
	}
}

// busy refuses calls until it has had enough of them.
type busy struct {
	refusals int64
	calls    atomic.Int64
}

func (b *busy) PutMetricData(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
	if n := b.calls.Add(1); n > 1 && n <= b.refusals+1 { // the first is that of the start
		return nil, &session.Error{Kind: session.Throttled, Text: "not now"}
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func TestPausesGrowWhileThereIsTimeAndEndWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := NewCloudWatch(Config{}, aws.Config{Region: "r", Credentials: credentials.NewStaticCredentialsProvider("A", "B", "")})
		cloud := &busy{refusals: 12}
		sink.sender.client = cloud
		m := metaOf()
		if err := errors.Join(sink.Start(m), sink.Begin(m)); err != nil {
			t.Fatal(err)
		}
		windows := windowsOf(100, 1)
		for _, w := range windows {
			_ = sink.Window(w)
			time.Sleep(time.Second)
		}
		// From 0.2 s on each pause is twice the one before, up to 20 s, and between half of that and all: 9 or 10 fit into 75 s.
		if n := cloud.calls.Load(); n < 9 || n > 13 {
			t.Errorf("%d calls in a minute and a quarter", n)
		}
		began := time.Now()
		_ = sink.Close()
		if took := time.Since(began); took > 2500*time.Millisecond {
			t.Errorf("closing took %v, want it to cut the pause short", took)
		}
		if d := sink.Deliveries()[0]; d.Lost != 0 || d.Retries != 12 {
			t.Errorf("%+v", d)
		}
	})
}

func TestTroubleBeforeTheRunThatMayPassIsSaid(t *testing.T) {
	c := newCloud(t)
	c.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "later")
		return false
	}
	sink := patiently(Config{}, c.config())
	var said []string
	sink.Say = func(text string) { said = append(said, text) }
	if err := sink.Start(metaOf()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"metrics may be lost: CloudWatch PutMetricData: ServiceUnavailable: later"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

func TestACallThatHadNoAnswerWhenTheRunHadToEndIsSaidToHaveHadNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := NewCloudWatch(Config{}, aws.Config{Region: "r", Credentials: credentials.NewStaticCredentialsProvider("A", "B", "")})
		sink.sender.client = stuckClient{}
		err := publishAll(t, sink, metaOf(), windowsOf(10, 1), result.Valid)
		want := "not accepted before the run had to end: no answer"
		if d := sink.Deliveries()[0]; d.Reason != want || d.Sent != 0 || err == nil || err.Error() != "cloudwatch: nothing was published: "+want {
			t.Errorf("%v, %+v", err, d)
		}
	})
}

func TestTheBacklogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := NewCloudWatch(Config{}, aws.Config{Region: "r", Credentials: credentials.NewStaticCredentialsProvider("A", "B", "")})
		sink.sender.client = stuckClient{}
		m := metaOf()
		if err := errors.Join(sink.Start(m), sink.Begin(m)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		minute := windowsOf(60, 1)[:60]
		for i := range 45 {
			for _, w := range minute {
				later := *w
				later.From += time.Duration(i) * time.Minute
				later.To += time.Duration(i) * time.Minute
				_ = sink.Window(&later)
			}
		}
		if time.Since(began) != 0 {
			t.Error("a window was waited for")
		}
		if n := len(sink.sender.backlog); n > maxBacklog {
			t.Errorf("%d calls wait", n)
		}
		_ = sink.Close()
		if d := sink.Deliveries()[0]; !strings.HasPrefix(d.Reason, "too many calls were waiting") {
			t.Errorf("%+v", d)
		}
		if took := time.Since(began); took != sink.times.close {
			t.Errorf("closing took %v, want all the time there is, %v", took, sink.times.close)
		}
		if d := sink.Deliveries()[0]; d.Sent != 0 || d.Lost < 45*20 {
			t.Errorf("%+v: 45 minutes were lost", d)
		}
	})
}
