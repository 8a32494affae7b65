package sqlite

// What tests do as versions with other migrations than this one's.
var (
	OpenWith    = open
	MigrateWith = migrateFile
	PendingWith = pendingFile
)
