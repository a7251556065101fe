package main

import (
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// wideSeries are five hundred series of each target.
func wideSeries(targets int) []*series {
	all := make([]*series, 0, 500*targets)
	for i := range targets {
		t := newTarget(11, i, 15_000)
		for k := range 500 {
			r := seeded(12, t.number, uint64(k))
			l := t.labels(labels.MetricName, fmt.Sprintf("wide_metric_%02d_total", k%50), "route", fmt.Sprintf("/v1/resource/%d", k/50))
			all = append(all, steady(t, l, counter(r, 500)))
		}
	}
	return all
}

// narrowSeries are few and dense: a sample a second.
func narrowSeries() []*series {
	var all []*series
	for i := range 20 {
		t := newTarget(21, i, 1000)
		r := seeded(22, t.number)
		next := [](func() float64){counter(r, 300), noise(r), slow(r), counter(r, 1_000_000)}[i%4]
		all = append(all, steady(t, t.labels(labels.MetricName, fmt.Sprintf("narrow_metric_%d", i%4)), next))
	}
	return all
}

// sparseSeries are an ordinary day at a sample a minute.
func sparseSeries() []*series {
	var all []*series
	for i := range 20 {
		t := newTarget(31, i, 60_000)
		for k := range 100 {
			r := seeded(32, t.number, uint64(k))
			next := [](func() float64){counter(r, 5000), noise(r), slow(r), constant(1)}[k%4]
			l := t.labels(labels.MetricName, fmt.Sprintf("sparse_metric_%02d", k%20), "shard", fmt.Sprintf("shard%d", k/20))
			all = append(all, steady(t, l, next))
		}
	}
	return all
}

// histogramSeries are native histograms, every second of them with float counts.
func histogramSeries() []*series {
	var all []*series
	for i := range 50 {
		t := newTarget(41, i, 15_000)
		for k := range 20 {
			r := seeded(42, t.number, uint64(k))
			l := t.labels(labels.MetricName, []string{"rpc_duration_seconds", "rpc_size_ratio"}[k%2], "rpc", fmt.Sprintf("Method%02d", k/2))
			all = append(all, nativeHistogram(t, l, r, k%2 == 1))
		}
	}
	return all
}

const histogramSchema = 3

// nativeHistogram grows from twenty to forty buckets and begins anew now and then.
func nativeHistogram(t *target, l labels.Labels, r *random, float bool) *series {
	const most = 40
	var counts [most]int64
	var total int64
	var sum float64
	width := 20
	first := int32(r.below(40)) - 20
	observe := func() {
		if r.below(3000) == 0 {
			counts, total, sum, width = [most]int64{}, 0, 0, 20
		}
		if width < most && r.below(40) == 0 {
			width++
		}
		for range 1 + r.below(30) {
			bucket := (r.below(width) + r.below(width)) / 2
			counts[bucket]++
			total++
			sum += float64(bucket) * r.unit()
		}
	}
	return &series{labels: l, fill: func(fromMs, toMs int64, to *seriesChunks) {
		t.scrapes(fromMs, toMs, func(timeMs int64) {
			observe()
			spans := []histogram.Span{{Offset: first, Length: uint32(width)}}
			if float {
				h := &histogram.FloatHistogram{Schema: histogramSchema, ZeroThreshold: 1e-128, Count: float64(total), Sum: sum, PositiveSpans: spans}
				for _, n := range counts[:width] {
					h.PositiveBuckets = append(h.PositiveBuckets, float64(n))
				}
				to.histogram(timeMs, nil, h)
				return
			}
			h := &histogram.Histogram{Schema: histogramSchema, ZeroThreshold: 1e-128, Count: uint64(total), Sum: sum, PositiveSpans: spans}
			before := int64(0)
			for _, n := range counts[:width] {
				h.PositiveBuckets = append(h.PositiveBuckets, n-before)
				before = n
			}
			to.histogram(timeMs, h, nil)
		})
	}}
}

// histogram appends as the head does: a chunk is written anew when buckets came, and another begun after a reset.
func (s *seriesChunks) histogram(t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) {
	var previous chunkenc.Appender
	if s.appender == nil || s.inChunk == samplesPerChunk {
		previous = s.appender
		if fh != nil {
			s.start(chunkenc.NewFloatHistogramChunk(), t)
		} else {
			s.start(chunkenc.NewHistogramChunk(), t)
		}
	}
	var chunk chunkenc.Chunk
	var recoded bool
	var appender chunkenc.Appender
	var err error
	if fh != nil {
		chunk, recoded, appender, err = s.appender.AppendFloatHistogram(previous, 0, t, fh, false)
	} else {
		chunk, recoded, appender, err = s.appender.AppendHistogram(previous, 0, t, h, false)
	}
	if err != nil {
		panic(err)
	}
	s.appender = appender
	if chunk != nil {
		if recoded {
			s.chunks[len(s.chunks)-1].Chunk = chunk
		} else {
			s.chunks[len(s.chunks)-1].Chunk.Compact()
			s.chunks = append(s.chunks, chunkMeta(chunk, t))
			s.inChunk = 0
		}
	}
	s.counted(t)
}
