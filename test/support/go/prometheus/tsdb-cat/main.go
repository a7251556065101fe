// tsdb-cat prints every sample of a Prometheus data directory, bit for bit, for the tests' comparisons: promtool's dump prints values as
// decimal text, in which all NaNs look alike.
//
//	tsdb-cat DIR SANDBOX [-chunks]
//
// DIR is not changed; the head is replayed with SANDBOX as scratch space. Standard output is a sequence of series, little-endian:
//
//	uint32 length of the label text, the labels as a JSON array of [name, value]
//	uint32 number of float samples n, n × int64 time, n × uint64 value bits, n × int64 start time
//	uint32 number of histograms, each: int64 time, int64 start time, uint32 length, canonical text
//
// With -chunks it prints one line per chunk encoding instead: its name and the number of chunks.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tsdb-cat:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if len(os.Args) < 3 {
		return fmt.Errorf("usage: tsdb-cat DIR SANDBOX [-chunks]")
	}
	dir, err := openDirectory(os.Args[1], os.Args[2])
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer func() {
		if flushErr := out.Flush(); err == nil {
			err = flushErr
		}
	}()
	if len(os.Args) > 3 && os.Args[3] == "-chunks" {
		return printEncodings(dir, out)
	}
	return printSeries(dir, out)
}

func printSeries(dir *directory, out *bufio.Writer) error {
	set, err := dir.series()
	if err != nil {
		return err
	}
	var times, bits, starts, histograms []byte
	var iterator chunkenc.Iterator
	for set.Next() {
		series := set.At()
		times, bits, starts, histograms = times[:0], bits[:0], starts[:0], histograms[:0]
		count := uint32(0)
		iterator = series.Iterator(iterator)
		for kind := iterator.Next(); kind != chunkenc.ValNone; kind = iterator.Next() {
			switch kind {
			case chunkenc.ValFloat:
				t, v := iterator.At()
				times = binary.LittleEndian.AppendUint64(times, uint64(t))
				bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(v))
				starts = binary.LittleEndian.AppendUint64(starts, uint64(iterator.AtST()))
			case chunkenc.ValHistogram:
				t, h := iterator.AtHistogram(nil)
				histograms = appendHistogram(histograms, t, iterator.AtST(), integerText(h))
				count++
			case chunkenc.ValFloatHistogram:
				t, h := iterator.AtFloatHistogram(nil)
				histograms = appendHistogram(histograms, t, iterator.AtST(), floatText(h))
				count++
			default:
				return fmt.Errorf("sample of unknown kind %v in %v", kind, series.Labels())
			}
		}
		if err := iterator.Err(); err != nil {
			return fmt.Errorf("%v: %w", series.Labels(), err)
		}
		pairs := [][2]string{}
		series.Labels().Range(func(l labels.Label) { pairs = append(pairs, [2]string{l.Name, l.Value}) })
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(pairs); err != nil {
			return err
		}
		header := binary.LittleEndian.AppendUint32(nil, uint32(text.Len()))
		header = append(header, text.Bytes()...)
		header = binary.LittleEndian.AppendUint32(header, uint32(len(times)/8))
		for _, part := range [][]byte{header, times, bits, starts, binary.LittleEndian.AppendUint32(nil, count), histograms} {
			if _, err := out.Write(part); err != nil {
				return err
			}
		}
	}
	return set.Err()
}

func printEncodings(dir *directory, out *bufio.Writer) error {
	set, err := dir.chunks()
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for set.Next() {
		chunks := set.At().Iterator(nil)
		for chunks.Next() {
			counts[chunks.At().Chunk.Encoding().String()]++
		}
		if err := chunks.Err(); err != nil {
			return err
		}
	}
	for name, count := range counts {
		fmt.Fprintln(out, name, count)
	}
	return set.Err()
}

func appendHistogram(to []byte, t, start int64, text string) []byte {
	to = binary.LittleEndian.AppendUint64(to, uint64(t))
	to = binary.LittleEndian.AppendUint64(to, uint64(start))
	to = binary.LittleEndian.AppendUint32(to, uint32(len(text)))
	return append(to, text...)
}

// The canonical text names every bucket that is not empty by its index, because the storage may rearrange spans and add empty buckets.
// Floats are their bits in hexadecimal. test/support/native-histogram.ts writes the same text.
func integerText(h *histogram.Histogram) string {
	if value.IsStaleNaN(h.Sum) {
		return "stale"
	}
	var b strings.Builder
	common(&b, "integer", h.CounterResetHint, h.Schema, h.Sum, h.ZeroThreshold)
	fmt.Fprintf(&b, " count:%d zero:%d", h.Count, h.ZeroCount)
	b.WriteString(" negative:[")
	deltas(&b, h.NegativeSpans, h.NegativeBuckets)
	b.WriteString("] positive:[")
	deltas(&b, h.PositiveSpans, h.PositiveBuckets)
	b.WriteString("]")
	custom(&b, h.CustomValues)
	return b.String()
}

func floatText(h *histogram.FloatHistogram) string {
	if value.IsStaleNaN(h.Sum) {
		return "stale"
	}
	var b strings.Builder
	common(&b, "float", h.CounterResetHint, h.Schema, h.Sum, h.ZeroThreshold)
	fmt.Fprintf(&b, " count:%s zero:%s", hex(h.Count), hex(h.ZeroCount))
	b.WriteString(" negative:[")
	absolutes(&b, h.NegativeSpans, h.NegativeBuckets)
	b.WriteString("] positive:[")
	absolutes(&b, h.PositiveSpans, h.PositiveBuckets)
	b.WriteString("]")
	custom(&b, h.CustomValues)
	return b.String()
}

func common(b *strings.Builder, kind string, hint histogram.CounterResetHint, schema int32, sum, threshold float64) {
	if hint == histogram.GaugeType {
		b.WriteString("gauge ")
	}
	fmt.Fprintf(b, "%s schema:%d sum:%s threshold:%s", kind, schema, hex(sum), hex(threshold))
}

func hex(v float64) string { return fmt.Sprintf("%016x", math.Float64bits(v)) }

func deltas(b *strings.Builder, spans []histogram.Span, buckets []int64) {
	separator, absolute, i := "", int64(0), 0
	index := int32(0)
	for _, span := range spans {
		index += span.Offset
		for range span.Length {
			absolute += buckets[i]
			i++
			if absolute != 0 {
				b.WriteString(separator + strconv.Itoa(int(index)) + "=" + strconv.FormatInt(absolute, 10))
				separator = " "
			}
			index++
		}
	}
}

func absolutes(b *strings.Builder, spans []histogram.Span, buckets []float64) {
	separator, i := "", 0
	index := int32(0)
	for _, span := range spans {
		index += span.Offset
		for range span.Length {
			if buckets[i] != 0 {
				b.WriteString(separator + strconv.Itoa(int(index)) + "=" + hex(buckets[i]))
				separator = " "
			}
			i++
			index++
		}
	}
}

func custom(b *strings.Builder, bounds []float64) {
	if len(bounds) == 0 {
		return
	}
	separator := ""
	b.WriteString(" custom:[")
	for _, bound := range bounds {
		b.WriteString(separator + hex(bound))
		separator = " "
	}
	b.WriteString("]")
}
