package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// count reads every sample, stale markers and histograms included, which no query of the server counts.
func count(dir, sandbox string) error {
	db, err := tsdb.OpenDBReadOnly(dir, sandbox, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	querier, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return err
	}
	defer querier.Close()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	set := querier.Select(context.Background(), false, nil,
		labels.MustNewMatcher(labels.MatchNotEqual, labels.MetricName, "prom_migrator_progress"))
	var iterator chunkenc.Iterator
	for set.Next() {
		samples, stale := 0, 0
		iterator = set.At().Iterator(iterator)
		for kind := iterator.Next(); kind != chunkenc.ValNone; kind = iterator.Next() {
			samples++
			if kind == chunkenc.ValFloat {
				if _, v := iterator.At(); value.IsStaleNaN(v) {
					stale++
				}
			}
		}
		if err := iterator.Err(); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%d\t%d\n", seriesKey(set.At().Labels()), samples, stale)
	}
	if err := set.Err(); err != nil {
		return err
	}
	return out.Flush()
}
