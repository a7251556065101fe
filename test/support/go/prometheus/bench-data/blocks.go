package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
)

const (
	blockMs         = 2 * 3600 * 1000
	samplesPerChunk = 120
)

// A series makes its samples block by block, in order of time.
type series struct {
	labels labels.Labels
	// Adds the samples in [fromMs, toMs); called with ranges that follow each other.
	fill func(fromMs, toMs int64, to *seriesChunks)
	// How many samples lie before each of the set's marks, and how many of them are stale markers.
	counts, stale []uint64
}

// Collects the samples of one series in one block as chunks of the size that a scraping Prometheus makes, and counts them.
type seriesChunks struct {
	chunks   []chunks.Meta
	appender chunkenc.Appender
	inChunk  int
	marksMs  []int64
	counts   []uint64
	stale    []uint64
}

func (s *seriesChunks) start(chunk chunkenc.Chunk, t int64) {
	appender, err := chunk.Appender()
	if err != nil {
		panic(err)
	}
	s.chunks = append(s.chunks, chunks.Meta{Chunk: chunk, MinTime: t})
	s.appender = appender
	s.inChunk = 0
}

func (s *seriesChunks) counted(t int64) {
	s.chunks[len(s.chunks)-1].MaxTime = t
	s.inChunk++
	countBefore(t, s.marksMs, s.counts)
}

func countBefore(t int64, marksMs []int64, counts []uint64) {
	for i, mark := range marksMs {
		if t < mark {
			counts[i]++
		}
	}
}

func (s *seriesChunks) float(t int64, v float64) {
	if s.appender == nil || s.inChunk == samplesPerChunk {
		s.start(chunkenc.NewXORChunk(), t)
	}
	s.appender.Append(0, t, v)
	s.counted(t)
	if value.IsStaleNaN(v) {
		countBefore(t, s.marksMs, s.stale)
	}
}

// What the bench has to know of a data set besides its blocks.
type manifest struct {
	StartMs int64 `json:"startMs"`
	// Ends of the ranges that counts.tsv has two columns for: the samples of the series, and the stale markers among them.
	MarksMs []int64 `json:"marksMs"`
	// Samples of all series before each mark.
	Samples []uint64 `json:"samples"`
	Series  int      `json:"series"`
	Names   []string `json:"names"`
	// Metrics whose series may hold stale markers, which PromQL does not count.
	StaleNames []string `json:"staleNames,omitempty"`
}

// Writes the series as blocks of two hours into dir/data, and beside it how many samples each series has.
func writeBlocks(name, dir string, all []*series, startMs, endMs int64, marksMs []int64, staleNames []string) error {
	sort.Slice(all, func(i, j int) bool { return labels.Compare(all[i].labels, all[j].labels) < 0 })
	for _, s := range all {
		s.counts = make([]uint64, len(marksMs))
		s.stale = make([]uint64, len(marksMs))
	}
	symbols, names := symbolsOf(all)
	for fromMs := startMs; fromMs < endMs; fromMs += blockMs {
		toMs := min(fromMs+blockMs, endMs)
		if err := writeBlock(name, filepath.Join(dir, "data"), all, symbols, fromMs, toMs, marksMs); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "data", "wal"), 0o777); err != nil {
		return err
	}
	about := manifest{StartMs: startMs, MarksMs: marksMs, Samples: make([]uint64, len(marksMs)), Series: len(all), Names: names, StaleNames: staleNames}
	file, err := os.Create(filepath.Join(dir, "counts.tsv"))
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	for _, s := range all {
		out.WriteString(seriesKey(s.labels))
		for i, n := range s.counts {
			about.Samples[i] += n
			fmt.Fprintf(out, "\t%d\t%d", n, s.stale[i])
		}
		out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o666)
}

func symbolsOf(all []*series) (symbols, names []string) {
	found := map[string]struct{}{}
	foundNames := map[string]struct{}{}
	for _, s := range all {
		s.labels.Range(func(l labels.Label) {
			found[l.Name] = struct{}{}
			found[l.Value] = struct{}{}
			if l.Name == labels.MetricName {
				foundNames[l.Value] = struct{}{}
			}
		})
	}
	sorted := func(set map[string]struct{}) []string {
		list := make([]string, 0, len(set))
		for text := range set {
			list = append(list, text)
		}
		sort.Strings(list)
		return list
	}
	return sorted(found), sorted(foundNames)
}

func writeBlock(name, dataDir string, all []*series, symbols []string, fromMs, toMs int64, marksMs []int64) error {
	id := blockID(name, fromMs)
	dir := filepath.Join(dataDir, id.String())
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	chunkWriter, err := chunks.NewWriter(filepath.Join(dir, "chunks"))
	if err != nil {
		return err
	}
	indexWriter, err := index.NewWriter(context.Background(), filepath.Join(dir, "index"))
	if err != nil {
		return err
	}
	for _, symbol := range symbols {
		if err := indexWriter.AddSymbol(symbol); err != nil {
			return err
		}
	}
	meta := tsdb.BlockMeta{ULID: id, MinTime: fromMs, MaxTime: toMs, Version: 1}
	meta.Compaction.Level = 1
	meta.Compaction.Sources = []ulid.ULID{id}
	ref := storage.SeriesRef(0)
	for _, s := range all {
		collected := &seriesChunks{marksMs: marksMs, counts: s.counts, stale: s.stale}
		s.fill(fromMs, toMs, collected)
		if len(collected.chunks) == 0 {
			continue
		}
		if err := chunkWriter.WriteChunks(collected.chunks...); err != nil {
			return err
		}
		if err := indexWriter.AddSeries(ref, s.labels, collected.chunks...); err != nil {
			return fmt.Errorf("%v: %w", s.labels, err)
		}
		ref++
		meta.Stats.NumSeries++
		meta.Stats.NumChunks += uint64(len(collected.chunks))
		for _, chunk := range collected.chunks {
			samples := uint64(chunk.Chunk.NumSamples())
			meta.Stats.NumSamples += samples
			if chunk.Chunk.Encoding() == chunkenc.EncXOR {
				meta.Stats.NumFloatSamples += samples
			} else {
				meta.Stats.NumHistogramSamples += samples
			}
		}
	}
	if err := chunkWriter.Close(); err != nil {
		return err
	}
	if err := indexWriter.Close(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(meta, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "meta.json"), text, 0o666)
}

// The same block has the same id wherever it is made.
func blockID(name string, fromMs int64) ulid.ULID {
	var id ulid.ULID
	if err := id.SetTime(uint64(fromMs)); err != nil {
		panic(err)
	}
	hash := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, fromMs))
	if err := id.SetEntropy(hash[:10]); err != nil {
		panic(err)
	}
	return id
}

// A short name of a series that the bench makes of the labels in an answer as well: the beginning of the SHA-256 over its labels, sorted,
// each text behind its length.
func seriesKey(l labels.Labels) string {
	hash := sha256.New()
	var length [4]byte
	text := func(s string) {
		binary.BigEndian.PutUint32(length[:], uint32(len(s)))
		hash.Write(length[:])
		hash.Write([]byte(s))
	}
	l.Range(func(l labels.Label) { text(l.Name); text(l.Value) })
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

func chunkMeta(chunk chunkenc.Chunk, t int64) chunks.Meta {
	return chunks.Meta{Chunk: chunk, MinTime: t}
}
