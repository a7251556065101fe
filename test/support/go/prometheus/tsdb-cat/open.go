package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// directory is a data directory with everything that its server shows, in whatever state the server left it.
//
// tsdb.DBReadOnly alone is no such reader: it omits every sample of the head before the end of the newest block, which can be a block of
// out-of-order samples in the middle of the head. So it opens only the blocks here. The head is replayed without blocks, hence without a
// minimum time, from a copy of the logs.
type directory struct {
	blocks []tsdb.BlockReader
	head   *tsdb.DB
}

// openDirectory opens it until the end of the process, and uses sandbox as scratch space.
func openDirectory(dir, sandbox string) (*directory, error) {
	copied, err := os.MkdirTemp(sandbox, "head")
	if err != nil {
		return nil, err
	}
	if err := copyHead(dir, copied); err != nil {
		return nil, err
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	options.NoLockfile = true
	options.BlockReloadInterval = 24 * time.Hour
	head, err := tsdb.Open(copied, nil, nil, options, nil)
	if err != nil {
		return nil, fmt.Errorf("replay the head: %w", err)
	}
	head.DisableCompactions()
	files, err := tsdb.OpenDBReadOnly(dir, sandbox, nil)
	if err != nil {
		return nil, err
	}
	blocks, err := files.Blocks()
	if err != nil {
		return nil, err
	}
	return &directory{blocks: blocks, head: head}, nil
}

func everything() *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, ".*")
}

// series merges head and blocks, as the server does.
func (d *directory) series() (storage.SeriesSet, error) {
	head, err := d.head.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	queriers := []storage.Querier{head}
	for _, block := range d.blocks {
		querier, err := tsdb.NewBlockQuerier(block, math.MinInt64, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		queriers = append(queriers, querier)
	}
	merged := storage.NewMergeQuerier(queriers, nil, storage.ChainedSeriesMerge)
	return merged.Select(context.Background(), true, nil, everything()), nil
}

// chunks has the chunks of head and blocks, not merged.
func (d *directory) chunks() (storage.ChunkSeriesSet, error) {
	head, err := d.head.ChunkQuerier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	queriers := []storage.ChunkQuerier{head}
	for _, block := range d.blocks {
		querier, err := tsdb.NewBlockChunkQuerier(block, math.MinInt64, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		queriers = append(queriers, querier)
	}
	merged := storage.NewMergeChunkQuerier(queriers, nil, storage.NewConcatenatingChunkSeriesMerger())
	return merged.Select(context.Background(), true, nil, everything()), nil
}

// copyHead makes a data directory with the head only. Its logs have two changes, because a replay omits samples that the server showed,
// when two requests that wrote a new series at the same time were logged in the other order:
//   - All series come first. A replay drops samples that precede the record of their series.
//   - There are no markers of mapped chunks. A replay forgets the out-of-order samples that precede one, although they may be younger than
//     the mapped chunk. Without markers it has the samples of mapped chunks twice, and shows them once.
func copyHead(from, to string) error {
	mapped := "chunks_head"
	if err := chunks.HardLinkChunkFiles(filepath.Join(from, mapped), filepath.Join(to, mapped)); err != nil {
		return err
	}
	isSeries := func(kind record.Type) bool { return kind == record.Series }
	isNoSeries := func(kind record.Type) bool { return kind != record.Series }
	isNoMarker := func(kind record.Type) bool { return kind != record.MmapMarkers }
	if err := copyLog(filepath.Join(from, "wal"), filepath.Join(to, "wal"), isSeries, isNoSeries); err != nil {
		return err
	}
	outOfOrder := filepath.Join(from, wlog.WblDirName)
	if _, err := os.Stat(outOfOrder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return copyLog(outOfOrder, filepath.Join(to, wlog.WblDirName), isNoMarker)
}

// copyLog writes the records of a log to a new one, in several passes, each with the records that it selects.
func copyLog(from, to string, passes ...func(record.Type) bool) (err error) {
	log, err := wlog.New(nil, nil, to, compression.None)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	for _, selects := range passes {
		if err := eachRecord(from, func(kind record.Type, content []byte) error {
			if !selects(kind) {
				return nil
			}
			return log.Log(content)
		}); err != nil {
			return fmt.Errorf("copy %s: %w", from, err)
		}
	}
	return nil
}

// eachRecord calls visit for the records of the last checkpoint and of the segments after it. It ends at a record that a kill cut off, as
// Prometheus does at its next start.
func eachRecord(dir string, visit func(record.Type, []byte) error) error {
	ranges := []wlog.SegmentRange{{Dir: dir, First: -1, Last: -1}}
	checkpoint, index, err := wlog.LastCheckpoint(dir)
	if err == nil {
		ranges = []wlog.SegmentRange{{Dir: checkpoint, First: -1, Last: -1}, {Dir: dir, First: index + 1, Last: -1}}
	} else if !errors.Is(err, record.ErrNotFound) {
		return err
	}
	segments, err := wlog.NewSegmentsRangeReader(ranges...)
	if err != nil {
		return err
	}
	defer segments.Close()
	reader := wlog.NewReader(segments)
	decoder := record.NewDecoder(nil, nil)
	for reader.Next() {
		content := reader.Record()
		if err := visit(decoder.Type(content), content); err != nil {
			return err
		}
	}
	_, last, err := wlog.Segments(dir)
	if err != nil {
		return err
	}
	if cut, ok := errors.AsType[*wlog.CorruptionErr](reader.Err()); ok && cut.Segment == last {
		return nil
	}
	return reader.Err()
}
