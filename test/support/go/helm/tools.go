//go:build tools

// Package tools holds the Helm that the tests call, as a dependency that go.mod pins.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
