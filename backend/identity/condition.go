package identity

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// The limits of a condition: its length in bytes, and what one evaluation may
// cost in CEL's units (roughly one a visited value).
const (
	maxConditionBytes = 4096
	maxConditionCost  = 20_000
)

// Condition is an expression in CEL (the Common Expression Language) that must
// hold. It is immutable and safe for concurrent use.
//
// It sees user.id, user.provider, user.name (strings, "" for an anonymous
// caller), user.claims (a map from a claim's type, or its short names, to the
// list of its values: user.claims.email, user.claims.groups), session; app.id,
// app.version; device.id, device.platform, device.os, device.enrolled,
// device.attested, device.compliant; risk.level, risk.signals; request.method,
// request.operation (operation for short), request.path, request.address
// (strings) and request.time; and row, a map from column to value.
type Condition struct {
	source  string
	program cel.Program
	usesRow bool
}

// Facts are what a condition is asked about.
type Facts struct {
	// Principal is who asks; nil is the anonymous caller.
	Principal *Principal
	// Row is the row that is read or written, nil where there is none.
	Row map[string]any
	// Request is what is asked for.
	Request Request
}

// Request is the part of a request that conditions see.
type Request struct {
	// Method and Path are those of HTTP; Operation is the feature's own word:
	// "read", "insert", "update", "delete", "undelete" of a table.
	Method, Path, Operation string
	// Address is where the request comes from.
	Address netip.Addr
	// Time is when it came in.
	Time time.Time
}

// environment is made on first use: a deployment without conditions does not
// pay for it.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("user.claims", cel.MapType(cel.StringType, cel.ListType(cel.StringType))),
		cel.Variable("risk.level", cel.IntType),
		cel.Variable("risk.signals", cel.ListType(cel.StringType)),
		cel.Variable("request.time", cel.TimestampType),
		cel.Variable("row", cel.MapType(cel.StringType, cel.DynType)),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateComprehensionNestingLimit(2)),
	}
	for _, name := range []string{"user.id", "user.provider", "user.name", "session", "app.id", "app.version",
		"device.id", "device.platform", "device.os", "request.method", "operation", "request.operation", "request.path",
		"request.address"} {
		options = append(options, cel.Variable(name, cel.StringType))
	}
	for _, name := range []string{"device.enrolled", "device.attested", "device.compliant"} {
		options = append(options, cel.Variable(name, cel.BoolType))
	}
	return cel.NewEnv(options...)
})

// CompileCondition parses and checks an expression. The error points at the
// place in the expression.
func CompileCondition(source string) (*Condition, error) {
	if len(source) > maxConditionBytes {
		return nil, fmt.Errorf("identity: a condition has at most %d bytes", maxConditionBytes)
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("identity: preparing conditions: %w", err)
	}
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, fmt.Errorf("identity: condition: %w", issues.Err())
	}
	if !ast.OutputType().IsExactType(cel.BoolType) && !ast.OutputType().IsExactType(cel.DynType) {
		return nil, fmt.Errorf("identity: condition %q is of type %s, and must be true or false", source,
			ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(maxConditionCost), cel.InterruptCheckFrequency(100),
		cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("identity: condition: %w", err)
	}
	c := &Condition{source: source, program: program}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		c.usesRow = c.usesRow || ref.Name == "row"
	}
	return c, nil
}

// String returns the expression.
func (c *Condition) String() string { return c.source }

// UsesRow reports whether the outcome may depend on the row. Without it a
// condition can be decided before any row is read.
func (c *Condition) UsesRow() bool { return c.usesRow }

// Holds evaluates the condition. What cannot be evaluated (a column that is
// not there, a comparison of unlike types, too costly an expression) does not
// hold: the result is false, with an error that is for the operator and not for
// the caller.
func (c *Condition) Holds(ctx context.Context, f Facts) (bool, error) {
	out, _, err := c.program.ContextEval(ctx, &facts{Facts: f})
	if err != nil {
		return false, fmt.Errorf("identity: condition %q: %w", c.source, err)
	}
	holds, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("identity: condition %q gave a %s", c.source, out.Type())
	}
	return bool(holds), nil
}

var _ cel.Activation = (*facts)(nil)

// facts resolves names when they are asked for.
type facts struct{ Facts }

// Parent is part of cel.Activation; there is none.
func (f *facts) Parent() cel.Activation { return nil }

// ResolveName is part of cel.Activation.
func (f *facts) ResolveName(name string) (any, bool) {
	p := f.Principal
	if p == nil {
		p = anonymous
	}
	switch name {
	case "row":
		if f.Row == nil {
			return map[string]any{}, true
		}
		return f.Row, true
	case "user.id":
		return p.User.ID, true
	case "user.provider":
		return p.User.Provider, true
	case "user.name":
		return p.User.Name, true
	case "user.claims":
		return claimMap(p.User.Claims), true
	case "session":
		return p.Session, true
	case "app.id":
		return p.App.ID, true
	case "app.version":
		return p.App.Version, true
	case "risk.level":
		return p.Risk.Level, true
	case "risk.signals":
		return p.Risk.Signals, true
	}
	if v, ok := deviceFact(&p.Device, name); ok {
		return v, true
	}
	return requestFact(&f.Request, name)
}

func deviceFact(d *Device, name string) (any, bool) {
	switch name {
	case "device.id":
		return d.ID, true
	case "device.platform":
		return d.Platform, true
	case "device.os":
		return d.OS, true
	case "device.enrolled":
		return d.Enrolled, true
	case "device.attested":
		return d.Attested, true
	case "device.compliant":
		return d.Compliant, true
	}
	return nil, false
}

func requestFact(r *Request, name string) (any, bool) {
	switch name {
	case "request.method":
		return r.Method, true
	case "operation", "request.operation":
		return r.Operation, true
	case "request.path":
		return r.Path, true
	case "request.address":
		if !r.Address.IsValid() {
			return "", true
		}
		return r.Address.String(), true
	case "request.time":
		return r.Time, true
	}
	return nil, false
}

// claimMap groups claims by type. A type that is a URI counts under its last
// part too, as in the original (azure-mobile-apps 4.0.2,
// auth/normalizeClaims.js), and a mapped claim under the name that it has in a
// token.
func claimMap(claims []Claim) map[string][]string {
	m := make(map[string][]string, 2*len(claims))
	for _, c := range claims {
		m[c.Type] = append(m[c.Type], c.Value)
		if i := strings.LastIndexAny(c.Type, "/:"); i >= 0 {
			m[c.Type[i+1:]] = append(m[c.Type[i+1:]], c.Value)
		}
		if short := shortClaims[c.Type]; short != "" {
			m[short] = append(m[short], c.Value)
		}
	}
	return m
}

// shortClaims are the names of mapped claims in a token, where their last part
// is another one.
var shortClaims = map[string]string{ClaimNameID: "sub", ClaimMail: "email", ClaimGiven: "given_name",
	ClaimSurname: "family_name", ClaimObject: "oid", ClaimTenant: "tid"}
