//go:build js && wasm

// The engine is Cordon's policy as WebAssembly: what the plugin's hooks run in
// Node.js.
//
// It sets one global, cordonEngine, with two functions. Each takes and
// returns JSON text; files are an object from names to Uint8Array.
//
//	check(files, question)    what is wrong with the project
//	exports(files, question)  what the policy changes in the prepared platforms
//
// An answer that has a member "error" is none. Nothing is read but what is
// handed in, and nothing is kept between calls.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"syscall/js"

	"github.com/cordon-sec/cordon/plugin/engine/answer"
)

func main() {
	js.Global().Set("cordonEngine", js.ValueOf(map[string]any{
		"check": js.FuncOf(func(_ js.Value, args []js.Value) any {
			return ask(args, func(files fs.FS, q answer.Question) (any, error) { return answer.Check(files, q) })
		}),
		"exports": js.FuncOf(func(_ js.Value, args []js.Value) any {
			return ask(args, func(files fs.FS, q answer.Question) (any, error) { return answer.Exports(files, q) })
		}),
	}))
	select {} // the functions live as long as the page or the hook's process
}

// ask reads the arguments of a question about files.
func ask(args []js.Value, reply func(fs.FS, answer.Question) (any, error)) any {
	if len(args) != 2 || args[0].Type() != js.TypeObject || args[1].Type() != js.TypeString {
		return string(answer.Encode(nil, fmt.Errorf("two arguments are needed: files and a question in JSON")))
	}
	var q answer.Question
	if err := json.Unmarshal([]byte(args[1].String()), &q); err != nil {
		return string(answer.Encode(nil, fmt.Errorf("read the question: %w", err)))
	}
	names := js.Global().Get("Object").Call("keys", args[0])
	files := make(map[string][]byte, names.Length())
	for i := range names.Length() {
		name := names.Index(i).String()
		content := args[0].Get(name)
		if !content.InstanceOf(js.Global().Get("Uint8Array")) {
			return string(answer.Encode(nil, fmt.Errorf("%s must be a Uint8Array", name)))
		}
		data := make([]byte, content.Length())
		js.CopyBytesToGo(data, content)
		files[name] = data
	}
	return string(answer.Encode(reply(answer.NewFolder(files), q)))
}
