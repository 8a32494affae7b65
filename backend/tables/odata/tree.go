package odata

// Expr is a node of a checked tree: one of Column, Literal, Logic, Not,
// Compare, IsNull, Arith and Call. Trees are immutable.
type Expr interface {
	// Type is the type of the node's value. It is Null only for a literal null
	// that has met no other operand.
	Type() Type
}

// Column is a column of the table.
type Column struct {
	// Name is the column's name as the table spells it.
	Name string
	// Of is its type.
	Of Type
	// IgnoreCase says that comparisons and searches ignore case.
	IgnoreCase bool
}

// Literal is a constant. As is the type that its surroundings want, so that a
// null knows what it is a null of.
type Literal struct {
	Value Value
	As    Type
	// IgnoreCase says that comparisons with it, and searches for it, ignore case: it
	// is a GUID.
	IgnoreCase bool
	// calendar is the text of a date or a time of day, for columns that hold such
	// as text: 1960-01-01, 07:14:00.000.
	calendar string
}

// Logic is the conjunction, or with Or the disjunction, of two or more terms.
type Logic struct {
	Or    bool
	Terms []Expr
}

// Not is the negation of a boolean; unknown stays unknown.
type Not struct{ X Expr }

// Compare compares two operands of one type (an Integer may meet a Number).
type Compare struct {
	Op   Op
	L, R Expr
}

// IsNull is true if X is null, or with Not if it is not. It is never unknown.
type IsNull struct {
	X   Expr
	Not bool
}

// Arith computes with two Numbers. The result of a division by zero is null;
// Mod is x - trunc(x/y)*y.
type Arith struct {
	Op   Op
	L, R Expr
}

// Call is a call of a function.
type Call struct {
	Func Func
	Args []Expr
}

// Op is a binary operator.
type Op uint8

// The operators of Compare and Arith.
const (
	Eq Op = iota + 1
	Ne
	Gt
	Ge
	Lt
	Le
	Add
	Sub
	Mul
	Div
	Mod
)

// Func is a function of the query language.
type Func uint8

// The functions. Contains is substringof with its arguments in the order of
// OData v4. ToNumber turns an Integer into a Number.
const (
	StartsWith Func = iota + 1
	EndsWith
	Contains
	Concat
	IndexOf
	Length
	Replace
	Substring
	ToLower
	ToUpper
	Trim
	Year
	Month
	Day
	Hour
	Minute
	Second
	FractionalSeconds
	DateOnly
	TimeOnly
	Floor
	Ceiling
	Round
	ToNumber
	// Digits is the number that stands in a text at a place, with so many digits;
	// null where none does.
	Digits
)

// Type implements Expr.
func (c Column) Type() Type { return c.Of }

// Type implements Expr.
func (l Literal) Type() Type {
	if l.As != Null {
		return l.As
	}
	return l.Value.Type
}

// Type implements Expr.
func (Logic) Type() Type { return Boolean }

// Type implements Expr.
func (Not) Type() Type { return Boolean }

// Type implements Expr.
func (Compare) Type() Type { return Boolean }

// Type implements Expr.
func (IsNull) Type() Type { return Boolean }

// Type implements Expr.
func (Arith) Type() Type { return Number }

// Type implements Expr.
func (c Call) Type() Type { return functions[c.Func].result }

// And joins conditions; nil terms are left out, and nothing at all is nil.
func And(terms ...Expr) Expr {
	var kept []Expr
	for _, t := range terms {
		if t != nil {
			kept = append(kept, t)
		}
	}
	switch len(kept) {
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return Logic{Terms: kept}
}

// Order is one term of $orderby.
type Order struct {
	By   Expr
	Desc bool
}
