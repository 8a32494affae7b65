package diff

// ReduceAbove sets from how many rules on a comparison looks at the changed
// ones alone, and returns what it was.
func ReduceAbove(n int) int {
	was := reduceAbove
	reduceAbove = n
	return was
}
