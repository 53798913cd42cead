package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"scalableappbackend/internal/s3like"
	"scalableappbackend/loadgen/aws/session"
	"scalableappbackend/loadgen/aws/store"
)

func config(url string) aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String(url), RetryMaxAttempts: 1,
		Credentials: session.Credentials(credentials.NewStaticCredentialsProvider("test", "test", "")),
	}
}

func bucket(t *testing.T, url string, set func(*s3like.Server)) *store.Bucket {
	t.Helper()
	s := &s3like.Server{}
	set(s)
	at, err := store.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return store.NewBucket(store.Client(config(s.Start(t))), at)
}

func with(keys ...string) func(*s3like.Server) {
	return func(s *s3like.Server) {
		for _, key := range keys {
			s.Put(key, "not ours")
		}
	}
}

// One contract, for the real client over the wire and for the fake that other tests use.
func TestObjectsAreWhatWasPut(t *testing.T) {
	for name, o := range map[string]store.Objects{
		"a bucket":             bucket(t, "s3://results/loads/nightly/", with("other/x")),
		"a bucket, no prefix":  bucket(t, "s3://results", with()),
		"memory":               &store.Memory{},
		"a folder of memory":   store.Below(&store.Memory{}, "a/b/"),
		"a folder of a bucket": store.Below(bucket(t, "s3://results/loads", with("loads/x")), "id"),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if all, err := o.List(ctx, ""); err != nil || len(all) != 0 {
				t.Fatalf("at first: %v, %v", all, err)
			}
			for i := range 7 {
				if err := o.Put(ctx, fmt.Sprintf("parts/%06d", 7-i), strings.NewReader(strings.Repeat("x", i))); err != nil {
					t.Fatal(err)
				}
			}
			for _, content := range []string{"one", "two"} {
				if err := o.Put(ctx, "plan.json", strings.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
			if data, err := store.Read(ctx, o, "plan.json", 100); err != nil || string(data) != "two" {
				t.Errorf("put twice: %q, %v", data, err)
			}
			if _, err := store.Read(ctx, o, "plan.json", 2); err == nil {
				t.Error("more than the limit was read")
			}
			if err := o.Create(ctx, "start.json", strings.NewReader("first")); err != nil {
				t.Error(err)
			}
			if err := o.Create(ctx, "start.json", strings.NewReader("second")); !errors.Is(err, fs.ErrExist) {
				t.Errorf("created twice: %v", err)
			}
			if data, err := store.Read(ctx, o, "start.json", 100); err != nil || string(data) != "first" {
				t.Errorf("created twice: %q, %v", data, err)
			}
			if _, err := o.Get(ctx, "nothing"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("not there: %v", err)
			}
			all, err := o.List(ctx, "parts/")
			if err != nil || len(all) != 7 {
				t.Fatalf("listed %v, %v", all, err)
			}
			for i, x := range all {
				if x.Name != fmt.Sprintf("parts/%06d", i+1) || x.Size != int64(6-i) || x.Modified.IsZero() {
					t.Errorf("listed %+v as %d", x, i)
				}
			}
			if all, err := o.List(ctx, ""); err != nil || len(all) != 9 {
				t.Errorf("in all %v, %v", all, err)
			}
		})
	}
}

func TestErrorNamesTheObjectAndSaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		at, refuse string
		kind       session.Kind
		want       string
	}{
		{"s3://results/loads", "AccessDenied", session.Denied, "s3://results/loads/id/plan.json: S3 PutObject: not allowed to s3:PutObject"},
		{"s3://others/loads", "", session.NoBucket, "s3://others: S3 PutObject: the bucket does not exist"},
		{"s3://results/loads", "ExpiredToken", session.Expired, "s3://results/loads/id/plan.json: S3 PutObject: the AWS credentials have expired"},
	} {
		err := bucket(t, c.at, func(s *s3like.Server) { s.Refuse(c.refuse) }).Put(t.Context(), "id/plan.json", strings.NewReader("{}"))
		if err == nil || err.Error() != c.want || session.KindOf(err) != c.kind {
			t.Errorf("got  %v (%s)\nwant %s (%s)", err, session.KindOf(err), c.want, c.kind)
		}
	}
}

func TestMemoryFailsAsItIsTold(t *testing.T) {
	broken := errors.New("broken")
	m := &store.Memory{Before: func(_ context.Context, op, name string) error {
		if op == "put" && name == "x" {
			return broken
		}
		return nil
	}}
	if err := m.Put(t.Context(), "x", strings.NewReader("")); err != broken {
		t.Errorf("got %v", err)
	}
	if err := m.Put(t.Context(), "y", strings.NewReader("")); err != nil {
		t.Error(err)
	}
}

func TestLocationsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"s3://results":              "s3://results/",
		"s3://results/":             "s3://results/",
		"s3://results/loads":        "s3://results/loads/",
		"s3://my.results-1/a/b c/ü": "s3://my.results-1/a/b c/ü/",
		"S3://results/Loads/":       "s3://results/Loads/",
		"s3://results//loads//":     "s3://results/loads/",
	} {
		at, err := store.ParseURL(text)
		if err != nil || at.String() != want {
			t.Errorf("%s: got %v, %v, want %s", text, at, err, want)
		}
	}
	for text, why := range map[string]string{
		"":                                  "nothing",
		"results/loads":                     "a directory",
		"https://results.s3.amazonaws.com/": "another scheme",
		"s3:/results":                       "one slash",
		"s3://":                             "no bucket",
		"s3:///loads":                       "no bucket",
		"s3://ab/":                          "two letters",
		"s3://Results/":                     "an upper-case letter",
		"s3://my_results/":                  "an underscore",
		"s3://a..b/":                        "two dots",
		"s3://results/a/../b":               "a way up",
		"s3://results/a//b":                 "an empty part",
		"s3://results/a\nb":                 "a line break",
		"s3://results/" + strings.Repeat("x", 801): "longer than a key can be",
	} {
		if at, err := store.ParseURL(text); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v", why, at, err)
		}
	}
	if got := (store.Location{Bucket: "b", Prefix: "p/"}).Below("/id/").String(); got != "s3://b/p/id/" {
		t.Error(got)
	}
}
