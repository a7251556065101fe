package main

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

type seriesRequest struct {
	minTime, maxTime int64
	matchers         []*labels.Matcher
	skipChunks       bool
}

func (s *store) series(stream grpc.ServerStream) error {
	var message []byte
	if err := stream.RecvMsg(&message); err != nil {
		return err
	}
	request, err := parseRequest(message)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	var queriers []storage.ChunkQuerier
	for _, block := range s.blocks {
		meta := block.Meta()
		if meta.MinTime > request.maxTime || meta.MaxTime <= request.minTime {
			continue
		}
		querier, err := tsdb.NewBlockChunkQuerier(block, request.minTime, request.maxTime)
		if err != nil {
			return err
		}
		queriers = append(queriers, querier)
	}
	merged := storage.NewMergeChunkQuerier(queriers, nil, storage.NewConcatenatingChunkSeriesMerger())
	defer merged.Close()
	// A Store Gateway sends chunks as they are stored.
	hints := &storage.SelectHints{Start: request.minTime, End: request.maxTime, DisableTrimming: true}
	set := merged.Select(stream.Context(), true, hints, request.matchers...)
	var found chunks.Iterator
	for set.Next() {
		series := set.At()
		encoded := appendLabels(nil, series.Labels())
		if !request.skipChunks {
			found = series.Iterator(found)
			for found.Next() {
				encoded = appendChunk(encoded, found.At())
			}
			if err := found.Err(); err != nil {
				return err
			}
		}
		response := protowire.AppendTag(make([]byte, 0, len(encoded)+8), 1, protowire.BytesType)
		response = protowire.AppendBytes(response, encoded)
		s.sentBytes.Add(int64(len(response)))
		if err := stream.SendMsg(&response); err != nil {
			return err
		}
	}
	return set.Err()
}

func appendLabels(to []byte, set labels.Labels) []byte {
	set.Range(func(label labels.Label) {
		var pair []byte
		pair = protowire.AppendTag(pair, 1, protowire.BytesType)
		pair = protowire.AppendString(pair, label.Name)
		pair = protowire.AppendTag(pair, 2, protowire.BytesType)
		pair = protowire.AppendString(pair, label.Value)
		to = protowire.AppendTag(to, 1, protowire.BytesType)
		to = protowire.AppendBytes(to, pair)
	})
	return to
}

func appendChunk(to []byte, meta chunks.Meta) []byte {
	data := meta.Chunk.Bytes()
	raw := make([]byte, 0, len(data)+8)
	// The numbers of the StoreAPI begin with 0.
	if encoding := uint64(meta.Chunk.Encoding()) - 1; encoding != 0 {
		raw = protowire.AppendTag(raw, 1, protowire.VarintType)
		raw = protowire.AppendVarint(raw, encoding)
	}
	raw = protowire.AppendTag(raw, 2, protowire.BytesType)
	raw = protowire.AppendBytes(raw, data)
	chunk := make([]byte, 0, len(raw)+32)
	chunk = protowire.AppendTag(chunk, 1, protowire.VarintType)
	chunk = protowire.AppendVarint(chunk, uint64(meta.MinTime))
	chunk = protowire.AppendTag(chunk, 2, protowire.VarintType)
	chunk = protowire.AppendVarint(chunk, uint64(meta.MaxTime))
	chunk = protowire.AppendTag(chunk, 3, protowire.BytesType)
	chunk = protowire.AppendBytes(chunk, raw)
	to = protowire.AppendTag(to, 2, protowire.BytesType)
	return protowire.AppendBytes(to, chunk)
}

// parseRequest reads thanos.SeriesRequest.
func parseRequest(message []byte) (request seriesRequest, err error) {
	err = eachField(message, func(field protowire.Number, number uint64, bytes []byte) error {
		switch field {
		case 1:
			request.minTime = int64(number)
		case 2:
			request.maxTime = int64(number)
		case 3:
			matcher, err := parseMatcher(bytes)
			if err != nil {
				return err
			}
			request.matchers = append(request.matchers, matcher)
		case 8:
			request.skipChunks = number != 0
		}
		return nil
	})
	return request, err
}

func parseMatcher(message []byte) (*labels.Matcher, error) {
	var kind uint64
	var name, value string
	err := eachField(message, func(field protowire.Number, number uint64, bytes []byte) error {
		switch field {
		case 1:
			kind = number
		case 2:
			name = string(bytes)
		case 3:
			value = string(bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return labels.NewMatcher(labels.MatchType(kind), name, value)
}

func eachField(message []byte, visit func(field protowire.Number, number uint64, bytes []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var number uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			bytes, n = protowire.ConsumeBytes(message)
		default:
			return fmt.Errorf("field %d has the wire type %d", field, kind)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := visit(field, number, bytes); err != nil {
			return err
		}
	}
	return nil
}
