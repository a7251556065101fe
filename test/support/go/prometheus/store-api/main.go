// store-api serves the blocks of a Prometheus data directory by Thanos' StoreAPI, as a Store Gateway does: whole chunks, one series a message. Its
// only purpose is to be faster than what reads it:
//
//	store-api DIR SANDBOX ADDRESS
//
// The same port has gRPC (thanos.Store/Series, thanos.info.Info/Info) and HTTP (/metrics with the bytes of all messages that were sent).
package main

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
)

type store struct {
	blocks    []tsdb.BlockReader
	sentBytes atomic.Int64
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: store-api DIR SANDBOX ADDRESS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "store-api:", err)
		os.Exit(1)
	}
}

func run(dir, sandbox, address string) error {
	files, err := tsdb.OpenDBReadOnly(dir, sandbox, nil)
	if err != nil {
		return err
	}
	blocks, err := files.Blocks()
	if err != nil {
		return err
	}
	served := &store{blocks: blocks}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	split := newSplitListener(listener)
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}))
	server.RegisterService(&storeService, served)
	server.RegisterService(&infoService, served)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "store_api_sent_bytes_total %d\nstore_api_directory %q\n", served.sentBytes.Load(), dir)
	})
	go http.Serve(split.http, mux)
	go server.Serve(split.grpc)
	return split.run()
}

// bytesCodec leaves messages as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = data
	return nil
}

func (bytesCodec) Name() string { return "proto" }

var storeService = grpc.ServiceDesc{
	ServiceName: "thanos.Store",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName:    "Series",
		ServerStreams: true,
		Handler:       func(served any, stream grpc.ServerStream) error { return served.(*store).series(stream) },
	}},
}

var infoService = grpc.ServiceDesc{
	ServiceName: "thanos.info.Info",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Info",
		Handler:    func(served any, stream grpc.ServerStream) error { return served.(*store).info(stream) },
	}},
}

func (s *store) info(stream grpc.ServerStream) error {
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	minTime, maxTime := int64(math.MaxInt64), int64(math.MinInt64)
	for _, block := range s.blocks {
		minTime, maxTime = min(minTime, block.Meta().MinTime), max(maxTime, block.Meta().MaxTime)
	}
	var times []byte
	times = protowire.AppendTag(times, 1, protowire.VarintType)
	times = protowire.AppendVarint(times, uint64(minTime))
	times = protowire.AppendTag(times, 2, protowire.VarintType)
	times = protowire.AppendVarint(times, uint64(maxTime))
	var response []byte
	response = protowire.AppendTag(response, 2, protowire.BytesType)
	response = protowire.AppendString(response, "store")
	response = protowire.AppendTag(response, 3, protowire.BytesType)
	response = protowire.AppendBytes(response, times)
	return stream.SendMsg(&response)
}
