// readiness reports what tools that wait for an object think of it. It reads objects from stdin, one JSON document a line, and writes a line for each:
//
//	readiness [-lua FILE] [-current CEL [-failed CEL] [-in-progress CEL]]
//
// kstatus is the library of Helm 4, Flux and kpt, in the copy that Helm 4 and Flux use. A Lua script is run as Argo CD runs a custom health check, and
// CEL expressions as Flux evaluates healthCheckExprs.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const maxLine = 4 << 20

// judgement is a status and its message, or the error that the tool would show.
type judgement struct {
	Status  string `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	Error   string `json:"error,omitempty"`
}

type line struct {
	Kstatus judgement  `json:"kstatus"`
	Argo    *judgement `json:"argo,omitempty"`
	Flux    *judgement `json:"flux,omitempty"`
}

func main() {
	lua := flag.String("lua", "", "a health script of Argo CD")
	var exprs expressions
	flag.StringVar(&exprs.current, "current", "", "a CEL expression of Flux")
	flag.StringVar(&exprs.failed, "failed", "", "a CEL expression of Flux")
	flag.StringVar(&exprs.inProgress, "in-progress", "", "a CEL expression of Flux")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *lua, exprs); err != nil {
		fmt.Fprintln(os.Stderr, "readiness:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, luaFile string, exprs expressions) error {
	var script string
	if luaFile != "" {
		text, err := os.ReadFile(luaFile)
		if err != nil {
			return err
		}
		script = string(text)
	}
	flux, err := exprs.compile()
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			return err
		}
		said := line{Kstatus: kstatus(object)}
		if script != "" {
			said.Argo = ptr(runHealthScript(script, object.Object))
		}
		if flux != nil {
			said.Flux = ptr(flux.judge(object))
		}
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}

func kstatus(object *unstructured.Unstructured) judgement {
	result, err := status.Compute(object)
	if err != nil {
		return judgement{Error: err.Error()}
	}
	return judgement{Status: result.Status.String(), Message: result.Message}
}

func ptr(value judgement) *judgement { return &value }
