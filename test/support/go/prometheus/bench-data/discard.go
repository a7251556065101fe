package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// plannedRequest is one request of a plan. The body is Base64 in the file.
type plannedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

type discarded struct {
	WallMs float64 `json:"wallMs"`
	Bytes  int64   `json:"bytes"`
	err    error
}

// discard sends the lists of a plan at once, the requests of a list one after the other over one connection, and throws the responses away:
// the least that reading them takes. It prints the wall time of everything, and the time and the bytes of each list.
func discard(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var lists [][]plannedRequest
	if err := json.Unmarshal(text, &lists); err != nil {
		return err
	}
	startedAt := time.Now()
	results := make([]chan discarded, len(lists))
	for i, list := range lists {
		results[i] = make(chan discarded, 1)
		go func() { results[i] <- discardList(list) }()
	}
	totals := make([]discarded, len(lists))
	for i := range lists {
		totals[i] = <-results[i]
		if totals[i].err != nil {
			return totals[i].err
		}
	}
	return printJSON(map[string]any{"wallMs": millisecondsSince(startedAt), "lists": totals})
}

func discardList(list []plannedRequest) discarded {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 1 << 16}}
	defer client.CloseIdleConnections()
	startedAt := time.Now()
	var total discarded
	buffer := make([]byte, 1<<18)
	for _, planned := range list {
		n, err := discardResponse(client, planned, buffer)
		total.Bytes += n
		if err != nil {
			return discarded{err: err}
		}
	}
	total.WallMs = millisecondsSince(startedAt)
	return total
}

func discardResponse(client *http.Client, planned plannedRequest, buffer []byte) (int64, error) {
	request, err := http.NewRequest(planned.Method, planned.URL, bytes.NewReader(planned.Body))
	if err != nil {
		return 0, err
	}
	for name, value := range planned.Headers {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return 0, fmt.Errorf("%s: %s: %s", planned.URL, response.Status, text)
	}
	return io.CopyBuffer(io.Discard, struct{ io.Reader }{response.Body}, buffer)
}

func millisecondsSince(startedAt time.Time) float64 {
	return float64(time.Since(startedAt).Microseconds()) / 1000
}
