package odata

import (
	"fmt"
	"strings"
)

// Limits bound what a query may ask for. Zero values mean the defaults.
type Limits struct {
	// Bytes is the longest text of one option; default 65536.
	Bytes int
	// Depth is how deep parentheses, functions and negations may nest; default 256.
	Depth int
	// Nodes is how many operands and operators one text may have; default 4000.
	Nodes int
	// Terms is how many expressions one $orderby may have; default 64. SQLite
	// takes 2000, PostgreSQL 1664.
	Terms int
}

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 1 << 16
	}
	if l.Depth <= 0 {
		l.Depth = 256
	}
	if l.Nodes <= 0 {
		l.Nodes = 4000
	}
	if l.Terms <= 0 {
		l.Terms = 64
	}
	return l
}

// Parser reads query options against the columns of one table. It is a plain
// value: copy it, change it, use it from many goroutines.
type Parser struct {
	// Column looks up a column by the name that the query uses.
	Column func(name string) (Column, bool)
	// V4 reads the form of protocol 3.0: OData v4 functions and literals, and
	// the datetime literals of 2.0 as well.
	V4 bool
	// Now is what now() returns, in milliseconds.
	Now int64
	// Limits bound the text.
	Limits Limits
}

// Filter reads a $filter. The result is a boolean expression. An empty text is
// a syntax error.
func (p Parser) Filter(src string) (Expr, error) {
	ps, err := p.start(src)
	if err != nil {
		return nil, err
	}
	e, err := ps.or()
	if err != nil {
		return nil, err
	}
	if ps.tok.kind != end {
		return nil, ps.fail("Syntax error")
	}
	return ps.condition(e, 0)
}

// Order reads an $orderby: expressions separated by commas, each with an
// optional asc or desc in any letter case.
func (p Parser) Order(src string) ([]Order, error) {
	ps, err := p.start(src)
	if err != nil {
		return nil, err
	}
	var out []Order
	for {
		e, err := ps.or()
		if err != nil {
			return nil, err
		}
		o := Order{By: e}
		if ps.tok.kind == name {
			switch strings.ToLower(ps.tok.text) {
			case "asc":
			case "desc":
				o.Desc = true
			default:
				return nil, ps.fail("Syntax error")
			}
			if err := ps.advance(); err != nil {
				return nil, err
			}
		}
		if len(out) == ps.limits.Terms {
			return nil, ps.fail("The order has too many parts")
		}
		out = append(out, o)
		if ps.tok.kind == end {
			return out, nil
		}
		if ps.tok.kind != comma {
			return nil, ps.fail("Syntax error")
		}
		if err := ps.advance(); err != nil {
			return nil, err
		}
	}
}

// Select reads a $select: column names separated by commas. The names come
// back as the table spells them, each once.
func (p Parser) Select(src string) ([]string, error) {
	if len(src) > p.Limits.withDefaults().Bytes {
		return nil, &SyntaxError{"The query is too long", 0}
	}
	var out []string
	seen := map[string]bool{}
	at := 0
	for part := range strings.SplitSeq(src, ",") {
		n := strings.TrimSpace(part)
		if !ValidName(n) {
			return nil, &SyntaxError{fmt.Sprintf("'%.64s' is not a valid column name", n), at}
		}
		c, ok := p.Column(n)
		if !ok {
			return nil, &UnknownColumnError{n}
		}
		if !seen[c.Name] {
			seen[c.Name] = true
			out = append(out, c.Name)
		}
		at += len(part) + 1
	}
	return out, nil
}

func (p Parser) start(src string) (*parse, error) {
	limits := p.Limits.withDefaults()
	if len(src) > limits.Bytes {
		return nil, &SyntaxError{"The query is too long", 0}
	}
	ps := &parse{Parser: p, lex: lexer{src: src, v4: p.V4}, limits: limits}
	return ps, ps.advance()
}

// parse is one run of a Parser.
type parse struct {
	Parser
	lex    lexer
	tok    token
	limits Limits
	depth  int
	nodes  int
	// inReplace is set inside the arguments of replace, which may not nest.
	inReplace bool
}

func (p *parse) advance() (err error) {
	p.nodes++
	if p.nodes > 2*p.limits.Nodes {
		return p.fail("The query has too many parts")
	}
	p.tok, err = p.lex.next()
	return err
}

func (p *parse) fail(format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...), p.tok.at}
}

func (p *parse) enter() error {
	if p.depth++; p.depth > p.limits.Depth {
		return p.fail("The query is nested too deeply")
	}
	return nil
}

func (p *parse) word(w string) bool { return p.tok.kind == name && p.tok.text == w }

// or-expr = and-expr *("or" and-expr)
func (p *parse) or() (Expr, error) { return p.chain("or", p.and) }

// and-expr = cmp-expr *("and" cmp-expr)
func (p *parse) and() (Expr, error) { return p.chain("and", p.comparison) }

func (p *parse) chain(word string, operand func() (Expr, error)) (Expr, error) {
	at := p.tok.at
	left, err := operand()
	if err != nil || !p.word(word) {
		return left, err
	}
	logic := Logic{Or: word == "or"}
	for {
		term, err := p.condition(left, at)
		if err != nil {
			return nil, err
		}
		// Clients write long chains as nested pairs; one flat node keeps the
		// depth of the tree, and of the SQL, small.
		if inner, ok := term.(Logic); ok && inner.Or == logic.Or {
			logic.Terms = append(logic.Terms, inner.Terms...)
		} else {
			logic.Terms = append(logic.Terms, term)
		}
		if !p.word(word) {
			return logic, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		at = p.tok.at
		if left, err = operand(); err != nil {
			return nil, err
		}
	}
}

var compareOps = map[string]Op{"eq": Eq, "ne": Ne, "gt": Gt, "ge": Ge, "lt": Lt, "le": Le}
var addOps = map[string]Op{"add": Add, "sub": Sub}
var mulOps = map[string]Op{"mul": Mul, "div": Div, "mod": Mod, "divby": Div}

// cmp-expr = add-expr *(("eq"|"ne"|"gt"|"ge"|"lt"|"le") add-expr), and in v4
// add-expr "in" "(" list ")"
func (p *parse) comparison() (Expr, error) {
	left, err := p.additive()
	for err == nil && p.tok.kind == name {
		op, at := compareOps[p.tok.text], p.tok.at
		isIn := p.V4 && p.tok.text == "in"
		if op == 0 && !isIn {
			break
		}
		if err = p.advance(); err != nil {
			break
		}
		if isIn {
			left, err = p.in(left)
			continue
		}
		var right Expr
		if right, err = p.additive(); err == nil {
			left, err = p.compare(op, left, right, at)
		}
	}
	return left, err
}

func (p *parse) in(left Expr) (Expr, error) {
	at := p.tok.at
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, &SyntaxError{"'in' needs a list of values", at}
	}
	logic := Logic{Or: true}
	for _, a := range args {
		term, err := p.compare(Eq, left, a, at)
		if err != nil {
			return nil, err
		}
		logic.Terms = append(logic.Terms, term)
	}
	if len(logic.Terms) == 1 {
		return logic.Terms[0], nil
	}
	return logic, nil
}

// add-expr = mul-expr *(("add"|"sub") mul-expr)
func (p *parse) additive() (Expr, error) { return p.arithmetic(addOps, p.multiplicative) }

// mul-expr = unary *(("mul"|"div"|"mod") unary)
func (p *parse) multiplicative() (Expr, error) { return p.arithmetic(mulOps, p.unary) }

func (p *parse) arithmetic(ops map[string]Op, operand func() (Expr, error)) (Expr, error) {
	left, err := operand()
	for depth := 0; err == nil && p.tok.kind == name; depth++ {
		op, at := ops[p.tok.text], p.tok.at
		if op == 0 || p.tok.text == "divby" && !p.V4 {
			break
		}
		// A chain of operators nests to the left in SQL.
		if p.depth+depth > p.limits.Depth {
			return nil, p.fail("The query is nested too deeply")
		}
		if err = p.advance(); err != nil {
			break
		}
		var right Expr
		if right, err = operand(); err == nil {
			left, err = p.arith(op, left, right, at)
		}
	}
	return left, err
}

// unary = ("-"|"not") unary | primary
func (p *parse) unary() (Expr, error) {
	if p.tok.kind != minus && !p.word("not") {
		return p.primary()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	op := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if op.kind == minus && (p.tok.kind == integer || p.tok.kind == real) && p.tok.at == op.at+1 {
		p.tok.text = "-" + p.tok.text
		return p.primary()
	}
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	if op.kind == minus {
		return p.arith(Sub, Literal{Value: IntegerOf(0)}, x, op.at)
	}
	if x, err = p.condition(x, op.at); err != nil {
		return nil, err
	}
	return Not{x}, nil
}

// primary = "(" or-expr ")" | literal | function "(" args ")" | column
func (p *parse) primary() (Expr, error) {
	t := p.tok
	switch t.kind {
	case open:
		return p.group()
	case name:
		return p.named()
	case text, integer, real, date, guid, clock:
		l, err := p.bare(t)
		if err != nil {
			return nil, err
		}
		return l, p.advance()
	}
	return nil, p.fail("Expression expected")
}

func (p *parse) group() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != shut {
		return nil, p.fail("')' or operator expected")
	}
	return e, p.advance()
}

var typed = map[string]bool{"datetime": true, "datetimeoffset": true, "guid": true, "time": true}

// named reads what begins with a name: a constant, a typed literal, a function
// or a column.
func (p *parse) named() (Expr, error) {
	t := p.tok
	next := byte(0)
	if p.lex.pos < len(p.lex.src) {
		next = p.lex.src[p.lex.pos]
	}
	if next == '\'' && typed[t.text] {
		return p.typedLiteral()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch t.text {
	case "true", "false":
		return Literal{Value: BooleanOf(t.text == "true")}, nil
	case "null":
		return Literal{}, nil
	}
	if p.tok.kind == open {
		return p.call(t)
	}
	if p.tok.kind == slash {
		return nil, p.fail("Columns have no members")
	}
	if !ValidName(t.text) {
		return nil, &SyntaxError{fmt.Sprintf("'%.64s' is not a valid column name", t.text), t.at}
	}
	c, ok := p.Column(t.text)
	if !ok {
		return nil, &UnknownColumnError{t.text}
	}
	return c, nil
}

// arguments reads "(" [expr *("," expr)] ")".
func (p *parse) arguments() ([]Expr, error) {
	if p.tok.kind != open {
		return nil, p.fail("'(' expected")
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	var args []Expr
	for p.tok.kind != shut {
		if len(args) > 0 {
			if p.tok.kind != comma {
				return nil, p.fail("')' or ',' expected")
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		a, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, p.advance()
}
