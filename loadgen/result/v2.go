package result

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"
)

// The V2 format of HdrHistogram, as Java's AbstractHistogram.encodeIntoCompressedByteBuffer writes it.
const (
	v2Cookie           = 0x1c849303 | 0x10 // of the payload: counts are ZigZag LEB128, runs of empty buckets negative
	v2CompressedCookie = 0x1c849304 | 0x10 // of what is around it: a length, and the payload in zlib's format
	v2HeaderSize       = 40
)

// encoder writes histograms as text. It gives the same bytes as the library and keeps its
// compressor, which is what writing a histogram mostly costs: 0.8 MB and 0.6 ms for a new one, in
// a process whose garbage collection and CPU time decide whether its measurement is believed.
// The zero value is ready.
type encoder struct {
	payload []byte
	packed  bytes.Buffer
	zlib    *zlib.Writer
}

// appendText appends h in the V2 compressed form, base64.
func (e *encoder) appendText(dst []byte, h *Histogram) []byte {
	e.payload = appendPayload(e.payload[:0], h)
	return e.compress(dst, e.payload)
}

// compress appends a payload as text.
func (e *encoder) compress(dst, payload []byte) []byte {
	e.packed.Reset()
	e.packed.Write(make([]byte, 8))
	if e.zlib == nil {
		e.zlib, _ = zlib.NewWriterLevel(&e.packed, zlib.BestCompression) // fails for unknown levels only
	} else {
		e.zlib.Reset(&e.packed)
	}
	_, _ = e.zlib.Write(payload) // a bytes.Buffer takes everything
	_ = e.zlib.Close()
	out := e.packed.Bytes()
	binary.BigEndian.PutUint32(out[0:], v2CompressedCookie)
	binary.BigEndian.PutUint32(out[4:], uint32(len(out)-8))
	return base64.StdEncoding.AppendEncode(dst, out)
}

func appendPayload(dst []byte, h *Histogram) []byte {
	dst = append(dst, make([]byte, v2HeaderSize)...)
	next := 0 // the index of the first bucket that was not written yet
	for micros, count := range h.Buckets {
		index := bucketIndex(micros)
		switch gap := index - next; {
		case gap == 1:
			dst = append(dst, 0)
		case gap > 1:
			dst = appendZigZag(dst, -int64(gap))
		}
		dst = appendZigZag(dst, count)
		next = index + 1
	}
	if next == 0 {
		dst = append(dst, 0) // an empty histogram is one empty bucket
	}
	binary.BigEndian.PutUint32(dst[0:], v2Cookie)
	binary.BigEndian.PutUint32(dst[4:], uint32(len(dst)-v2HeaderSize))
	binary.BigEndian.PutUint32(dst[8:], 0) // normalizing index offset: none
	binary.BigEndian.PutUint32(dst[12:], SignificantDigits)
	binary.BigEndian.PutUint64(dst[16:], uint64(minMicros))
	binary.BigEndian.PutUint64(dst[24:], uint64(maxMicros))
	binary.BigEndian.PutUint64(dst[32:], math.Float64bits(1)) // the values are microseconds, unscaled
	return dst
}

// bucketIndex is the position of the bucket that starts at lowest: one bucket a microsecond up to
// 2,047, then 1,024 for each doubling.
func bucketIndex(lowest int64) int {
	shift := bucketShift(lowest)
	return shift<<(subBucketBits-1) + int(lowest>>shift)
}

// appendZigZag appends v as ZigZag LEB128 in the variant of HdrHistogram: after 8 bytes of 7 bits,
// the ninth holds the remaining 8.
func appendZigZag(dst []byte, v int64) []byte {
	u := uint64(v)<<1 ^ uint64(v>>63)
	for range 8 {
		if u < 0x80 {
			return append(dst, byte(u))
		}
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}
