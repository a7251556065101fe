package main

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

const (
	minuteMs = int64(60 * 1000)
	hourMs   = 60 * minuteMs
	dayMs    = 24 * hourMs
)

var newYear = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// generate writes one of the data sets. The same set is the same to the last bit on every machine.
func generate(set, dir string) error {
	switch set {
	case "standard":
		marks := []int64{newYear + 40*minuteMs, newYear + hourMs, newYear + 6*hourMs, newYear + dayMs}
		return writeBlocks(set, dir, standardSeries(), newYear, newYear+dayMs, marks, flappingNames())
	case "wide":
		end := newYear + 150*1000
		return writeBlocks(set, dir, wideSeries(1000), newYear, end, []int64{end}, nil)
	case "million":
		end := newYear + 30*1000
		return writeBlocks(set, dir, wideSeries(2000), newYear, end, []int64{end}, nil)
	case "narrow":
		end := newYear + 7*dayMs
		return writeBlocks(set, dir, narrowSeries(), newYear, end, []int64{end}, nil)
	case "sparse":
		start := time.Date(2023, 6, 15, 0, 0, 0, 0, time.UTC).UnixMilli()
		return writeBlocks(set, dir, sparseSeries(), start, start+dayMs, []int64{start + dayMs}, nil)
	case "histograms":
		end := newYear + 6*hourMs
		return writeBlocks(set, dir, histogramSeries(), newYear, end, []int64{end}, nil)
	}
	return fmt.Errorf("no data set is named %q", set)
}

// random is splitmix64: a good stream from any seed, the same everywhere.
type random struct{ state uint64 }

func seeded(parts ...uint64) *random {
	r := &random{}
	for _, part := range parts {
		r.state = (r.state ^ part) * 0x9e3779b97f4a7c15
		r.next()
	}
	return r
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

// unit has all 52 bits of the mantissa in use.
func (r *random) unit() float64 { return float64(r.next()>>11) / (1 << 53) }

// target is one process that is scraped: all its series share the timestamps.
type target struct {
	number     uint64
	phaseMs    int64
	intervalMs int64
	pairs      []string
}

// labels sorts the pairs of the target and those of a series.
func (t *target) labels(more ...string) labels.Labels {
	return labels.FromStrings(append(append([]string{}, t.pairs...), more...)...)
}

// scrapes calls with the times of the target's scrapes in [fromMs, toMs). One in five hundred is late by one to three milliseconds.
func (t *target) scrapes(fromMs, toMs int64, call func(timeMs int64)) {
	for at := fromMs + t.phaseMs; at < toMs; at += t.intervalMs {
		late := seeded(t.number, uint64(at)).next()
		if late%500 == 0 {
			call(at + 1 + int64(late>>32%3))
		} else {
			call(at)
		}
	}
}

// steady makes a series with a value at every scrape of its target.
func steady(t *target, l labels.Labels, next func() float64) *series {
	return &series{labels: l, fill: func(fromMs, toMs int64, to *seriesChunks) {
		t.scrapes(fromMs, toMs, func(timeMs int64) { to.float(timeMs, next()) })
	}}
}

// counter grows by integers up to most; it begins at 0 again about every four thousand samples.
func counter(r *random, most int) func() float64 {
	value := uint64(r.below(1000 * most))
	return func() float64 {
		if r.below(4000) == 0 {
			value = 0
		} else {
			value += uint64(r.below(most))
		}
		return float64(value)
	}
}

// noise fluctuates around a level in its own order of magnitude.
func noise(r *random) func() float64 {
	level := math.Exp(r.unit()*20 - 4)
	return func() float64 { return level * (0.8 + 0.4*r.unit()) }
}

// slow keeps its value for about forty samples.
func slow(r *random) func() float64 {
	value := float64(r.below(200))
	return func() float64 {
		if r.below(40) == 0 {
			value = float64(r.below(200))
		}
		return value
	}
}

func constant(value float64) func() float64 { return func() float64 { return value } }
