package main

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// expressions is an entry of spec.healthCheckExprs of a Flux Kustomization.
type expressions struct{ current, failed, inProgress string }

// check is an expression and the status that it stands for.
type check struct {
	program cel.Program
	status  status.Status
}

type checks []check

// compile returns nil if there are no expressions. Like Flux, it only parses them, without types.
func (e expressions) compile() (checks, error) {
	if e == (expressions{}) {
		return nil, nil
	}
	if e.current == "" {
		return nil, fmt.Errorf("Flux requires the expression current")
	}
	env, err := cel.NewEnv(
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Sets(),
		ext.Encoders(),
	)
	if err != nil {
		return nil, err
	}
	// Flux's order.
	ordered := []struct {
		text   string
		status status.Status
	}{{e.inProgress, status.InProgressStatus}, {e.failed, status.FailedStatus}, {e.current, status.CurrentStatus}}
	var compiled checks
	for _, one := range ordered {
		if one.text == "" {
			continue
		}
		tree, issues := env.Parse(one.text)
		if issues != nil && issues.Err() != nil {
			return nil, issues.Err()
		}
		program, err := env.Program(tree)
		if err != nil {
			return nil, err
		}
		compiled = append(compiled, check{program, one.status})
	}
	return compiled, nil
}

// judge follows Flux: a spec that was not observed is in progress, and so is an object of which no expression is true.
func (c checks) judge(object *unstructured.Unstructured) judgement {
	observed, found, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	if err != nil {
		return judgement{Error: err.Error()}
	}
	if found && observed != object.GetGeneration() {
		return judgement{Status: status.InProgressStatus.String()}
	}
	for _, one := range c {
		value, _, err := one.program.Eval(object.Object)
		if err != nil {
			return judgement{Error: err.Error()}
		}
		holds, isBool := value.(types.Bool)
		if !isBool {
			return judgement{Error: fmt.Sprintf("the expression for %s is no bool", one.status)}
		}
		if holds {
			return judgement{Status: one.status.String()}
		}
	}
	return judgement{Status: status.InProgressStatus.String()}
}
