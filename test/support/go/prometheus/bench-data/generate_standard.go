package main

import (
	"fmt"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

const (
	standardTargets = 200
	slices          = 8
)

var bounds = []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"}
var handlers = []string{"/api/v1/query", "/api/v1/query_range", "/api/v1/label/:name/values", "/-/healthy"}
var jobs = []string{"checkout-service", "payment-gateway", "inventory-api", "search-frontend", "node-exporter"}

var counterNames = []string{
	"container_network_receive_bytes_total", "container_network_transmit_bytes_total", "container_network_receive_packets_total",
	"container_network_transmit_packets_total", "http_requests_total", "grpc_server_handled_total", "kafka_consumer_records_consumed_total",
	"node_disk_reads_completed_total", "node_disk_written_bytes_total", "process_cpu_milliseconds_total",
}
var gaugeNames = []string{"container_cpu_usage_cores", "jvm_memory_pool_used_ratio", "node_load_average", "request_queue_latency_seconds", "system_temperature_celsius"}
var constantNames = []string{"up", "kube_pod_container_resource_limits_memory_bytes", "go_info", "process_start_time_seconds", "node_filesystem_size_bytes"}
var slowNames = []string{"go_goroutines", "jvm_threads_current", "db_connections_open", "kube_deployment_status_replicas"}
var flapping = []string{"kube_job_status_active", "batch_worker_queue_length"}

func flappingNames() []string { return flapping }

// newTarget is a process in a cluster, with the labels that scraping and Kubernetes' service discovery give.
func newTarget(set uint64, i int, intervalMs int64) *target {
	r := seeded(set, uint64(i))
	job := jobs[i%len(jobs)]
	return &target{
		number:     r.next(),
		phaseMs:    int64(r.below(int(intervalMs) - 3)),
		intervalMs: intervalMs,
		pairs: []string{
			"instance", fmt.Sprintf("10.%d.%d.%d:9100", 20+i/60, r.below(250), 1+r.below(250)),
			"job", job,
			"namespace", []string{"production", "staging", "monitoring"}[i%3],
			"node", fmt.Sprintf("ip-10-%d-%d-%d.eu-central-1.compute.internal", 20+i/60, i/12, 1+i%12),
			"pod", fmt.Sprintf("%s-%010x-%05x", job, r.next()>>24, i),
		},
	}
}

// standardSeries are a hundred series for each of two hundred targets, in the mixture of a common cluster.
func standardSeries() []*series {
	var all []*series
	for i := range standardTargets {
		t := newTarget(1, i, 15_000)
		t.pairs = append(t.pairs, "slice", fmt.Sprint(i%slices))
		for h, handler := range handlers {
			all = append(all, classicHistogram(t, handler, seeded(2, t.number, uint64(h)))...)
		}
		// What kind of value, the metrics it belongs to and the label that tells series of one metric apart.
		add := func(kind uint64, number int, names []string, label string, next func(r *random) func() float64) {
			for k := range number {
				r := seeded(kind, t.number, uint64(k))
				l := t.labels(labels.MetricName, names[k%len(names)], "container", "main", label, fmt.Sprintf("%s%d", label, k/len(names)))
				all = append(all, steady(t, l, next(r)))
			}
		}
		add(3, 20, counterNames, "device", func(r *random) func() float64 { return counter(r, 1<<(4+r.below(16))) })
		add(4, 15, gaugeNames, "cpu", noise)
		add(5, 13, constantNames, "mountpoint", func(r *random) func() float64 {
			return constant([]float64{0, 1, 1, 536870912, 1767225600, 107374182400}[r.below(6)])
		})
		add(6, 8, slowNames, "pool", slow)
		for k := range 4 {
			l := t.labels(labels.MetricName, flapping[k%2], "container", "main", "queue", fmt.Sprintf("queue%d", k/2))
			all = append(all, flappingSeries(t, l, seeded(7, t.number, uint64(k))))
		}
	}
	return all
}

// classicHistogram makes the buckets of one handler: cumulative integers that grow together, since every request falls into one of them.
func classicHistogram(t *target, handler string, r *random) []*series {
	perScrape := 1 + r.below(120)
	middle := r.below(7)
	totals := make([]uint64, len(bounds))
	var filledMs int64 = -1
	times := []int64{}
	values := make([][]float64, len(bounds))
	// The first bucket that is asked for makes the block's values of all.
	fill := func(fromMs, toMs int64) {
		filledMs = fromMs
		times = times[:0]
		for b := range values {
			values[b] = values[b][:0]
		}
		t.scrapes(fromMs, toMs, func(timeMs int64) {
			times = append(times, timeMs)
			for range r.below(perScrape + 1) {
				totals[min(len(bounds)-1, middle+int(math.Abs(float64(r.below(5)-r.below(5)))))]++
			}
			var sum uint64
			for b := range totals {
				sum += totals[b]
				values[b] = append(values[b], float64(sum))
			}
		})
	}
	all := make([]*series, 0, len(bounds))
	for b, bound := range bounds {
		l := t.labels(labels.MetricName, "http_request_duration_seconds_bucket", "container", "main", "handler", handler, "le", bound, "method", "GET")
		all = append(all, &series{labels: l, fill: func(fromMs, toMs int64, to *seriesChunks) {
			if filledMs != fromMs {
				fill(fromMs, toMs)
			}
			for i, timeMs := range times {
				to.float(timeMs, values[b][i])
			}
		}})
	}
	return all
}

// flappingSeries is there for a while, goes stale, and comes back some time later.
func flappingSeries(t *target, l labels.Labels, r *random) *series {
	present := r.below(2) == 0
	left := r.below(100)
	stale := math.Float64frombits(value.StaleNaN)
	next := slow(r)
	return &series{labels: l, fill: func(fromMs, toMs int64, to *seriesChunks) {
		t.scrapes(fromMs, toMs, func(timeMs int64) {
			if left > 0 {
				left--
				if present {
					to.float(timeMs, next())
				}
				return
			}
			if present {
				to.float(timeMs, stale)
			}
			present = !present
			left = 40 + r.below(200)
		})
	}}
}
