// Package odata reads the query language of mobile tables: $filter, $orderby
// and $select, in the form of protocol 2.0 (a subset of OData v3) and of
// protocol 3.0 (OData v4).
//
// Start with Parser: it turns text into a typed tree (Expr), checked against
// the columns of a table. A store compiles the tree to SQL and never sees the
// text. Errors are *SyntaxError (with the place) or *UnknownColumnError.
//
// Meaning, the same on every store:
//   - Logic has three values, as in SQL: a comparison with a null is unknown,
//     and only what is true is returned. "x eq null" asks for nulls.
//   - Numbers are IEEE doubles; only ids and lengths are integers. Division
//     by zero is unknown.
//   - Strings compare by code point and are case-sensitive, except columns
//     that are declared to ignore case. Positions and lengths count code points.
//   - Dates are milliseconds, UTC.
package odata
