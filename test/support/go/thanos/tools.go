//go:build tools

// Pins Thanos, with which the StoreAPI, Query and Receive are tested.
package tools

import _ "github.com/thanos-io/thanos/cmd/thanos"
