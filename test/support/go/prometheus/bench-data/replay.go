package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A Prometheus takes nothing that is more than an hour older than its newest sample; no lane gets further ahead of the others than this.
const mostAheadMs = hourMs

// replay sends recorded writes: the least that writing costs. `write` sends them in the recorded order over whichever connection is free;
// `write-in-order` keeps the requests that share a series on one connection.
func replay(kind, file, url, connections string) error {
	workers, err := strconv.Atoi(connections)
	if err != nil {
		return err
	}
	bodies, err := readRecording(file)
	if err != nil {
		return err
	}
	headers := map[string]string{
		"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "User-Agent": "bench-data",
		"X-Prometheus-Remote-Write-Version": "0.1.0",
	}
	var queue sender = &sharedQueue{bodies: bodies}
	lanes := 0
	if kind == "write-in-order" {
		requests, err := parseRequests(bodies)
		if err != nil {
			return err
		}
		found := lanesOf(requests)
		lanes = len(found)
		queue = newLaneQueue(found, workers)
	}
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: workers, DisableCompression: true, WriteBufferSize: 1 << 16, ReadBufferSize: 1 << 16,
	}}
	send := func(body []byte) (int64, error) {
		request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		answer, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
			return 0, fmt.Errorf("%s: %s", answer.Status, text)
		}
		return io.Copy(io.Discard, answer.Body)
	}
	startedAt := time.Now()
	results := make(chan result, workers)
	for worker := range workers {
		go func() {
			var total result
			for body := queue.take(worker); body != nil; body = queue.take(worker) {
				n, err := send(body)
				total.bytes += n
				if err != nil {
					total.err = err
					break
				}
			}
			results <- total
		}()
	}
	bytesIn := int64(0)
	for range workers {
		total := <-results
		if total.err != nil {
			return total.err
		}
		bytesIn += total.bytes
	}
	wallMs := float64(time.Since(startedAt).Microseconds()) / 1000
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	return printJSON(map[string]any{
		"wallMs": wallMs, "requests": len(bodies), "responseBytes": bytesIn, "lanes": lanes, "clientCpuMs": cpuMs(usage),
	})
}

type result struct {
	bytes int64
	err   error
}

// sender gives the next body to a worker, whose last one has been answered; nil when there is none any more.
type sender interface{ take(worker int) []byte }

type sharedQueue struct {
	mutex  sync.Mutex
	bodies [][]byte
}

func (q *sharedQueue) take(int) []byte {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if len(q.bodies) == 0 {
		return nil
	}
	body := q.bodies[0]
	q.bodies = q.bodies[1:]
	return body
}

// laneQueue holds a lane back while another one is far behind it in the time of the samples.
type laneQueue struct {
	mutex    sync.Mutex
	progress *sync.Cond
	lanes    [][]request
	next     []int
	// The oldest sample of a request and of all behind it in its lane.
	oldestMs [][]int64
}

func newLaneQueue(lanes [][]request, workers int) *laneQueue {
	q := &laneQueue{lanes: make([][]request, workers), next: make([]int, workers), oldestMs: make([][]int64, workers)}
	q.progress = sync.NewCond(&q.mutex)
	sort.SliceStable(lanes, func(i, j int) bool { return len(lanes[i]) > len(lanes[j]) })
	// More lanes than connections share them: those with a few requests, such as the progress marks, and evenly long.
	for _, lane := range lanes {
		least := 0
		for i := range q.lanes {
			if len(q.lanes[i]) < len(q.lanes[least]) {
				least = i
			}
		}
		q.merge(least, lane)
	}
	for i := range q.next {
		q.next[i] = -1
	}
	return q
}

// merge sorts by what never decreases within a lane, so that each keeps its order.
func (q *laneQueue) merge(i int, lane []request) {
	oldest := int64(math.MaxInt64)
	oldestMs := make([]int64, len(lane))
	for n := len(lane) - 1; n >= 0; n-- {
		oldest = min(oldest, lane[n].minMs)
		oldestMs[n] = oldest
	}
	lane = append(q.lanes[i], lane...)
	oldestMs = append(q.oldestMs[i], oldestMs...)
	order := make([]int, len(lane))
	for n := range order {
		order[n] = n
	}
	sort.SliceStable(order, func(a, b int) bool { return oldestMs[order[a]] < oldestMs[order[b]] })
	q.lanes[i] = make([]request, len(lane))
	q.oldestMs[i] = make([]int64, len(lane))
	for n, from := range order {
		q.lanes[i][n] = lane[from]
		q.oldestMs[i][n] = oldestMs[from]
	}
}

func (q *laneQueue) take(worker int) []byte {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.next[worker]++
	q.progress.Broadcast()
	if q.next[worker] >= len(q.lanes[worker]) {
		return nil
	}
	r := q.lanes[worker][q.next[worker]]
	for r.maxMs-q.slowestMs() > mostAheadMs {
		q.progress.Wait()
	}
	return r.body
}

// The oldest sample that is not known to have arrived.
func (q *laneQueue) slowestMs() int64 {
	slowest := int64(math.MaxInt64)
	for i, next := range q.next {
		if n := max(next, 0); n < len(q.lanes[i]) {
			slowest = min(slowest, q.oldestMs[i][n])
		}
	}
	return slowest
}
