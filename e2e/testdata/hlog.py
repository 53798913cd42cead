"""Reads a histogram log with Python's HdrHistogram and prints, as JSON, what it holds of each tag, in microseconds."""
import json
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

# As fractions, because 0.999 is none of the numbers that a float can be.
QUANTILES = {"p50": (50, 100), "p90": (90, 100), "p95": (95, 100), "p99": (99, 100), "p99_9": (999, 1000), "p99_99": (9999, 10000)}


def value_at(histogram, numerator, denominator):
    """The value of rank ceil(q*n). This implementation rounds q*n to the nearest rank instead, so it is asked for the
    percentage that is that rank; ranks to values, and values to buckets, stay its own arithmetic."""
    count = histogram.get_total_count()
    rank = -(-numerator * count // denominator)
    return histogram.get_value_at_percentile(100 * rank / count)


def main(path):
    tags = {}
    reader = HistogramLogReader(path, HdrHistogram(1, 3_600_000_000, 3))
    while (interval := reader.get_next_interval_histogram()) is not None:
        tag = tags.setdefault(interval.get_tag(), {"intervals": 0, "sum": HdrHistogram(1, 3_600_000_000, 3)})
        tag["intervals"] += 1
        tag["sum"].add(interval)
        tag["end_s"] = interval.get_end_time_stamp() / 1000 - reader.get_start_time_sec()
    print(json.dumps({
        "start": reader.get_start_time_sec(),
        "tags": {
            name: {
                "count": tag["sum"].get_total_count(),
                "intervals": tag["intervals"],
                "end_s": tag["end_s"],
                "max": tag["sum"].get_max_value(),
                **{key: value_at(tag["sum"], *q) for key, q in QUANTILES.items()},
            }
            for name, tag in tags.items()
        },
    }))


main(sys.argv[1])
