package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"scalableappbackend/loadgen/aws/session"
)

// API are the calls of S3 that a bucket needs: s3:PutObject, s3:GetObject and s3:ListBucket in a policy.
type API interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Client is S3 with this configuration. With an endpoint that is not AWS's, buckets are named in the path: their names are no hosts there.
func Client(cfg aws.Config) API {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

// Bucket are the objects of a bucket below a prefix. Its errors name the object by its URL, and hold a *session.Error.
type Bucket struct {
	api API
	at  Location
}

// NewBucket makes no call.
func NewBucket(api API, at Location) *Bucket { return &Bucket{api, at} }

// Put is of [Objects]. An object is there whole or not at all.
func (b *Bucket) Put(ctx context.Context, name string, content io.ReadSeeker) error {
	return b.put(ctx, name, content, nil)
}

// Create is of [Objects]: a conditional write, of which S3 lets one succeed.
func (b *Bucket) Create(ctx context.Context, name string, content io.ReadSeeker) error {
	return b.put(ctx, name, content, aws.String("*"))
}

func (b *Bucket) put(ctx context.Context, name string, content io.ReadSeeker, unless *string) error {
	_, err := b.api.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.at.Bucket, Key: b.key(name), Body: content, IfNoneMatch: unless})
	return b.explain(name, err)
}

// Get is of [Objects].
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	out, err := b.api.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.at.Bucket, Key: b.key(name)})
	if err != nil {
		return nil, b.explain(name, err)
	}
	return &body{out.Body, b, name}, nil
}

// body explains what breaks off.
type body struct {
	io.ReadCloser
	of   *Bucket
	name string
}

func (r *body) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.of.explain(r.name, err)
	}
	return n, err
}

// List is of [Objects].
func (b *Bucket) List(ctx context.Context, prefix string) (all []Object, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.at.Bucket, Prefix: b.key(prefix)}
	for {
		out, err := b.api.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, b.explain(prefix, err)
		}
		for _, o := range out.Contents { // ordered by name, in UTF-8
			all = append(all, Object{strings.TrimPrefix(aws.ToString(o.Key), b.at.Prefix), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
		}
		if !aws.ToBool(out.IsTruncated) || aws.ToString(out.NextContinuationToken) == "" {
			return all, nil
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

func (b *Bucket) key(name string) *string { return aws.String(b.at.Prefix + name) }

func (b *Bucket) explain(name string, err error) error {
	if err == nil {
		return nil
	}
	e, _ := errors.AsType[*session.Error](session.Explain(err))
	where := scheme + b.at.Bucket
	if e.Kind != session.NoBucket {
		where += "/" + b.at.Prefix + name
	}
	return &objectError{where, e}
}

// objectError is about an object.
type objectError struct {
	url string
	err *session.Error
}

func (e *objectError) Error() string { return e.url + ": " + e.err.Error() }
func (e *objectError) Unwrap() error { return e.err }

func (e *objectError) Is(target error) bool {
	return target == fs.ErrNotExist && e.err.Kind == session.NotFound || target == fs.ErrExist && e.err.Kind == session.Exists
}
