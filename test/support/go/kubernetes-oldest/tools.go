//go:build tools

// Package tools holds the programs of the oldest supported Kubernetes that the tests start, as dependencies that go.mod pins.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
