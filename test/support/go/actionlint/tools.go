//go:build tools

// Pins actionlint, which checks .github/workflows.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
