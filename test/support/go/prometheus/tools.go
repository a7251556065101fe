//go:build tools

// Package tools names the programs that the tests build from this module, so that go.sum pins what they need.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
