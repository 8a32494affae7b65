//go:build js && wasm

// The in-app engine is the part of Cordon's policy that explains decisions, as
// WebAssembly: what cordon.policy.explain loads in the web view. It sets the
// function explain(config, url, kind, platform) of the global cordonEngine,
// which returns JSON text.
package main

import (
	"syscall/js"

	"github.com/cordon-sec/cordon/plugin/engine/explanation"
)

func main() {
	js.Global().Set("cordonEngine", js.ValueOf(map[string]any{"explain": js.FuncOf(explain)}))
	select {} // the function lives as long as the page
}

// explain takes the config.xml, a URL, and where wanted a kind and a platform.
func explain(_ js.Value, args []js.Value) any {
	var text [4]string
	for i, arg := range args[:min(len(args), len(text))] {
		if arg.Type() == js.TypeString {
			text[i] = arg.String()
		}
	}
	return string(explanation.Encode(explanation.Of([]byte(text[0]), text[1], text[2], text[3])))
}
