// Package awstest is a fake of the AWS APIs that loadgen reads: one clock, one list of facts about a service, and handlers that
// render these facts as Amazon ECS, Elastic Load Balancing, CloudWatch, CloudWatch Logs and Application Auto Scaling do, over
// their own wire formats (JSON 1.1, the query protocol with XML, rpc-v2-cbor), so that the SDK's real clients talk to it.
//
// It promises that all APIs tell of the same facts, each from the moment at which it is told of (a fact may be late), in the words
// that were recorded on AWS; that it pages, cuts and refuses as AWS does where that is known (a MaxResults of up to 50 gives
// scaling activities without a token though more exist; metrics come in descending order; a service has its last 100 events); and
// that a call can be denied, throttled, broken or left hanging.
//
// It decides nothing: it has no scheduler, no autoscaler and no health check. What happens is what it was told, contradictions
// included. It checks no signatures, and knows no more fields than its readers need. Writes are handlers that a caller adds with
// [Fake.Handle].
//
//	fake := awstest.New(time.Now)
//	fake.Tell(awstest.Service{Cluster: "shop", Name: "api"}, awstest.Desired{At: t0, N: 2})
//	server := httptest.NewServer(fake)
//	client := ecs.NewFromConfig(fake.Config(server.URL))
package awstest
