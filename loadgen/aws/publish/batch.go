package publish

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// What one PutMetricData takes
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html): 1,000 metrics and 1 MB, which is
// taken here as a million bytes before compression, with room for what is not a datum.
const (
	maxValues = 150
	maxDatums = 1000
	maxBytes  = 1_000_000 - 1_000
)

// batch is the datums of one call.
type batch struct {
	datums []types.MetricDatum
	bytes  int // at most, as CBOR
}

// batches makes calls of points, in their order.
func (c *CloudWatch) batches(points []point) (all []batch) {
	var b batch
	for i := range points {
		for _, d := range datumsOf(&points[i], c.service, c.config.resolution()) {
			size := sizeOf(&d)
			if len(b.datums) == maxDatums || len(b.datums) > 0 && b.bytes+size > maxBytes {
				all = append(all, b)
				b = batch{}
			}
			b.datums, b.bytes = append(b.datums, d), b.bytes+size
		}
	}
	if len(b.datums) > 0 {
		all = append(all, b)
	}
	return all
}

// datumsOf is a point as datums: one, or of a distribution as many as its values need.
func datumsOf(p *point, service string, resolution time.Duration) (datums []types.MetricDatum) {
	one := types.MetricDatum{
		MetricName: aws.String(p.metric.Name),
		Unit:       types.StandardUnit(p.metric.Unit),
		Timestamp:  aws.Time(p.at),
		Dimensions: []types.Dimension{{Name: aws.String(DimensionService), Value: aws.String(service)}},
	}
	if resolution < time.Minute {
		one.StorageResolution = aws.Int32(int32(resolution / time.Second)) // 60 is the default
	}
	for _, d := range []struct{ name, value string }{{DimensionEndpoint, p.endpoint}, {DimensionRun, p.run}} {
		if d.value != "" {
			one.Dimensions = append(one.Dimensions, types.Dimension{Name: aws.String(d.name), Value: aws.String(d.value)})
		}
	}
	if len(p.Values) == 0 {
		one.Value = aws.Float64(p.value)
		return []types.MetricDatum{one}
	}
	for _, part := range p.Split(maxValues) {
		d := one
		d.Values, d.Counts = part.Values, part.Counts
		datums = append(datums, d)
	}
	return datums
}

// sizeOf is how many bytes a datum takes as CBOR at most: names and keys with up to 3 bytes before each, 9 a number
// (RFC 8949 §3), and the keys that a datum can have, which are 83 bytes in all.
func sizeOf(d *types.MetricDatum) int {
	size := 160 + len(*d.MetricName) + len(d.Unit) + 9*(len(d.Values)+len(d.Counts))
	for _, x := range d.Dimensions {
		size += len("Name") + len("Value") + 16 + len(*x.Name) + len(*x.Value)
	}
	return size
}
