package policy

import "bytes"

// PlaceIn returns where the bytes from start to end stand in a file.
func PlaceIn(name string, data []byte, start, end int) Place {
	start = min(max(start, 0), len(data))
	end = min(max(end, start), len(data))
	before := data[:start]
	line := 1 + bytes.Count(before, []byte{'\n'})
	return Place{File: name, Line: line, Column: start - bytes.LastIndexByte(before, '\n'), Start: start, End: end}
}
