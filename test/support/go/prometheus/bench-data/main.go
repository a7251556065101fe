// bench-data is what the benches need to have done fast and by a program that is not under test:
//
//	bench-data generate SET DIR              writes a data set as TSDB blocks into DIR/data, and DIR/manifest.json and DIR/counts.tsv beside it
//	bench-data count DIR SANDBOX             prints a line for each series of a Prometheus data directory: its key, its samples, its stale markers
//	bench-data replay KIND FILE URL N        sends the requests of a recording over N connections, prints what it took as JSON; KIND is
//	                                         read, write or write-in-order
//	bench-data discard FILE                  sends the requests of a plan and throws the responses away, prints what it took as JSON
//	bench-data snappy FILE                   compresses the requests of a recording again, prints the sizes as JSON
//	bench-data measure REPORT PROGRAM ...    runs a program and writes what it used into the file REPORT as JSON
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-data:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "generate":
		return generate(args[1], args[2])
	case len(args) == 3 && args[0] == "count":
		return count(args[1], args[2])
	case len(args) == 5 && args[0] == "replay":
		return replay(args[1], args[2], args[3], args[4])
	case len(args) == 2 && args[0] == "discard":
		return discard(args[1])
	case len(args) == 2 && args[0] == "snappy":
		return compressAgain(args[1])
	case len(args) >= 3 && args[0] == "measure":
		return measure(args[1], args[2:])
	}
	return fmt.Errorf("usage: generate SET DIR | count DIR SANDBOX | replay KIND FILE URL N | discard FILE | snappy FILE | measure REPORT PROGRAM ...")
}

func printJSON(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
