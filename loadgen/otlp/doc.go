// Package otlp publishes a run's windows as OpenTelemetry metrics, over OTLP/HTTP, while the run goes on.
//
// It promises that the load is never slowed: the Sink works behind result.Sinks' queue, has a bounded queue of its own in
// front of the network, and gives up at the run's end after [CloseTimeout]. What could not be sent is counted in
// the result, as a result.Delivery; it never changes the run's verdict or exit code.
//
// Histograms are sent as exponential histograms of scale [Scale]: see [Exponential] for what is lost, which is stated and
// small. Windows are added up into intervals before they are sent; nothing is averaged. Names follow OpenTelemetry's
// semantic conventions where these have one, and begin with "loadgen." where they have none; docs/opentelemetry.md lists
// them with the reasons.
//
// It refuses gRPC and JSON, reads no environment, and knows nothing of AWS: who signs requests is handed in.
package otlp
