// The judge of our CEL: Kubernetes' own environment answers expressions.
//
// It reads rows of JSON, of which it keeps "expr" and "minor", and writes them with what the environment of that
// minor gives: "compile", "program" (cannot be planned), "error" or "value", with "type" and "cost". With -minors it
// writes instead the minors whose environment compiles the expression. `object` is the JSON file that -object names,
// `authorizer` is declared only.
//
//	go run . -object ../../../crates/cel/tests/pod.json < ../../../crates/cel/tests/functions/ip.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	apicel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type row struct {
	Minor   uint    `json:"minor,omitempty"`
	Expr    string  `json:"expr"`
	Minors  []uint  `json:"minors,omitempty"`
	Compile string  `json:"compile,omitempty"`
	Program string  `json:"program,omitempty"`
	Error   string  `json:"error,omitempty"`
	Type    string  `json:"type,omitempty"`
	Value   any     `json:"value,omitempty"`
	Cost    *uint64 `json:"cost,omitempty"`
}

const newest = 36

// What an API server of the minor compiles new expressions with, its feature gates at their defaults of 1.36.
func environmentOf(minor uint) *cel.Env {
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, minor)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions: []cel.EnvOption{
			cel.Variable("object", cel.DynType),
			cel.Variable("authorizer", cel.ObjectType("kubernetes.authorization.Authorizer")),
		},
	})
	if err != nil {
		panic(err)
	}
	env, err := set.Env(environment.NewExpressions)
	if err != nil {
		panic(err)
	}
	return env
}

// Whole numbers are ints, as the API server decodes them.
func objectOf(path string) any {
	if path == "" {
		return map[string]any{}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var object any
	if err := utiljson.Unmarshal(text, &object); err != nil {
		panic(err)
	}
	return object
}

func judge(env *cel.Env, minor uint, expr string, object any) (r row) {
	r = row{Minor: minor, Expr: expr}
	defer func() {
		if told := recover(); told != nil {
			r.Compile = fmt.Sprint("panic: ", told)
		}
	}()
	ast, issues := env.Compile(expr)
	if issues.Err() != nil {
		r.Compile = issues.Err().Error()
		return r
	}
	r.Type = ast.OutputType().String()
	program, err := env.Program(ast)
	if err != nil {
		r.Program = err.Error()
		return r
	}
	value, details, err := program.Eval(map[string]any{"object": object})
	if details != nil {
		r.Cost = details.ActualCost()
	}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Value = show(value)
	return r
}

func show(value ref.Val) any {
	word := func(key string, text any) any { return map[string]any{key: fmt.Sprint(text)} }
	switch v := value.(type) {
	case types.Null:
		return nil
	case types.Bool:
		return bool(v)
	case types.Int:
		return word("int", int64(v))
	case types.Uint:
		return word("uint", uint64(v))
	case types.Double:
		return word("double", float64(v))
	case types.String:
		return string(v)
	case types.Bytes:
		return word("bytes", fmt.Sprintf("%x", []byte(v)))
	case types.Duration:
		return word("duration", v.Duration)
	case types.Timestamp:
		return word("timestamp", v.Time.Format(time.RFC3339Nano))
	case *types.Optional:
		if !v.HasValue() {
			return word("optional", "none")
		}
		return map[string]any{"optional": []any{show(v.GetValue())}}
	case *types.Type:
		return word("type", v.TypeName())
	case apicel.Quantity:
		return word("quantity", v.Quantity)
	case *apicel.Quantity:
		return word("quantity", v.Quantity)
	case apicel.URL:
		return word("url", v.URL)
	case apicel.IP:
		return word("ip", v.Addr)
	case apicel.CIDR:
		return word("cidr", v.Prefix)
	case apicel.Semver:
		return word("semver", v.Version)
	case apicel.Format:
		return word("namedformat", v.Name)
	case traits.Mapper:
		entries := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries[fmt.Sprint(key.Value())] = show(v.Get(key))
		}
		return map[string]any{"map": entries}
	case traits.Lister:
		items := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			items = append(items, show(it.Next()))
		}
		return items
	}
	return fmt.Sprintf("%T", value)
}

func main() {
	minors := flag.Bool("minors", false, "write the minors that compile each expression")
	file := flag.String("object", "", "JSON of the variable object")
	flag.Parse()
	object := objectOf(*file)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	environments := map[uint]*cel.Env{}
	env := func(minor uint) *cel.Env {
		if environments[minor] == nil {
			environments[minor] = environmentOf(minor)
		}
		return environments[minor]
	}
	for lines.Scan() {
		asked := row{Minor: newest}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		if !*minors {
			_ = out.Encode(judge(env(asked.Minor), asked.Minor, asked.Expr, object))
			continue
		}
		answer := row{Expr: asked.Expr}
		for minor := uint(26); minor <= newest; minor++ {
			if judge(env(minor), minor, asked.Expr, object).Compile == "" {
				answer.Minors = append(answer.Minors, minor)
			}
		}
		if answer.Minors != nil {
			_ = out.Encode(answer)
		}
	}
}
