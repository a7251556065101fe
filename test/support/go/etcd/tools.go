//go:build tools

// Package tools holds the etcd that the tests' Kubernetes API server keeps its data in, as a dependency that go.mod pins.
package tools

import _ "go.etcd.io/etcd/server/v3"
