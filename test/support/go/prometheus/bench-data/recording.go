package main

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"os"

	"github.com/golang/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

// readRecording gives the bodies of a recording: each behind its length, a uint32, little-endian.
func readRecording(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for len(text) >= 4 {
		length := binary.LittleEndian.Uint32(text)
		bodies = append(bodies, text[4:4+length])
		text = text[4+length:]
	}
	return bodies, nil
}

// compressAgain tells what native snappy makes of the same requests.
func compressAgain(file string) error {
	bodies, err := readRecording(file)
	if err != nil {
		return err
	}
	var sizes struct {
		Requests    int `json:"requests"`
		RawBytes    int `json:"rawBytes"`
		OurBytes    int `json:"ourBytes"`
		NativeBytes int `json:"nativeBytes"`
	}
	var raw, again []byte
	for _, body := range bodies {
		if raw, err = snappy.Decode(raw[:cap(raw)], body); err != nil {
			return err
		}
		again = snappy.Encode(again[:cap(again)], raw)
		sizes.Requests++
		sizes.RawBytes += len(raw)
		sizes.OurBytes += len(body)
		sizes.NativeBytes += len(again)
	}
	return printJSON(sizes)
}

// lanesOf divides write requests so that those that have a series in common are in one lane, in their order.
func lanesOf(requests []request) [][]request {
	parent := make([]int, len(requests))
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	seen := map[uint64]int{}
	for i, request := range requests {
		parent[i] = i
		for _, key := range request.series {
			if other, ok := seen[key]; ok {
				parent[root(i)] = root(other)
			}
			seen[key] = i
		}
	}
	numbers := map[int]int{}
	var lanes [][]request
	for i, request := range requests {
		lane, ok := numbers[root(i)]
		if !ok {
			lane = len(lanes)
			numbers[root(i)] = lane
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], request)
	}
	return lanes
}

// request is a WriteRequest of remote write 1.0, with what its order depends on.
type request struct {
	body []byte
	// Hashes of the labels.
	series       []uint64
	minMs, maxMs int64
}

func parseRequests(bodies [][]byte) ([]request, error) {
	requests := make([]request, len(bodies))
	var raw []byte
	var err error
	for i, body := range bodies {
		if raw, err = snappy.Decode(raw[:cap(raw)], body); err != nil {
			return nil, err
		}
		r := request{body: body, minMs: math.MaxInt64, maxMs: math.MinInt64}
		at := func(timeMs int64) { r.minMs, r.maxMs = min(r.minMs, timeMs), max(r.maxMs, timeMs) }
		err = fields(raw, func(_ protowire.Number, series []byte, _ uint64) error {
			hash := fnv.New64a()
			defer func() { r.series = append(r.series, hash.Sum64()) }()
			return fields(series, func(number protowire.Number, part []byte, _ uint64) error {
				timeField := protowire.Number(2)
				switch number {
				case 1:
					hash.Write(part)
					return nil
				case 4:
					timeField = 15
				}
				return fields(part, func(number protowire.Number, _ []byte, value uint64) error {
					if number == timeField {
						at(int64(value))
					}
					return nil
				})
			})
		})
		if err != nil {
			return nil, err
		}
		requests[i] = r
	}
	return requests, nil
}

// fields calls with every field of a message: its bytes, or its value where it is a varint.
func fields(message []byte, call func(number protowire.Number, bytes []byte, value uint64) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		length := protowire.ConsumeFieldValue(number, kind, message)
		if length < 0 {
			return protowire.ParseError(length)
		}
		var bytes []byte
		var value uint64
		switch kind {
		case protowire.BytesType:
			bytes, _ = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			value, _ = protowire.ConsumeVarint(message)
		}
		if err := call(number, bytes, value); err != nil {
			return err
		}
		message = message[length:]
	}
	return nil
}
