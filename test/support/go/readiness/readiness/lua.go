package main

import (
	"context"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// scriptTime is how long Argo CD lets a script run.
const scriptTime = time.Second

// libraries is what every release of Argo CD opens for a script from argocd-cm. There is no string library: that one needs
// resource.customizations.useOpenLibs. Its own os library is left out.
var libraries = map[string]lua.LGFunction{
	lua.LoadLibName: lua.OpenPackage,
	lua.BaseLibName: lua.OpenBase,
	lua.TabLibName:  lua.OpenTable,
}

func runHealthScript(script string, object map[string]any) judgement {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		call := lua.P{Fn: state.NewFunction(libraries[name]), Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return judgement{Error: err.Error()}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptTime)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return judgement{Error: err.Error()}
	}
	health, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return judgement{Error: fmt.Sprintf("the script returned a %s and no table", state.Get(-1).Type())}
	}
	said := judgement{Status: lua.LVAsString(health.RawGetString("status")), Message: lua.LVAsString(health.RawGetString("message"))}
	switch said.Status {
	case "Unknown", "Progressing", "Suspended", "Healthy", "Degraded", "Missing":
		return said
	}
	return judgement{Error: fmt.Sprintf("%q is no health status", said.Status)}
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		list := state.NewTable()
		for _, entry := range value {
			list.Append(toLua(state, entry))
		}
		return list
	case map[string]any:
		table := state.NewTable()
		for name, entry := range value {
			table.RawSetString(name, toLua(state, entry))
		}
		return table
	}
	return lua.LNil
}
