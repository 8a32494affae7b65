// Package transfer takes rows out of tables and brings them in: files that Cordon
// wrote itself, and what the tools of Azure SQL write.
//
// [Import] brings a file in as a batch: a name under which [Undo] takes back what
// came in, and under which a broken import goes on. [Check] only reads and says
// what would come of it. [Export] writes a table as it is.
//
// A file is read in three steps. Its bytes become UTF-8, or an error that says
// where they are not (encoding.go); text becomes records (csv.go, bcp.go, json.go);
// a record's cells become values of the table's columns (row.go, value.go). A value
// that a column cannot hold exactly is refused, never rounded or guessed.
package transfer
