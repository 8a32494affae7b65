package postgres

// What tests do as versions with other migrations than this one's.
var (
	OpenWith    = open
	MigrateWith = migrateURL
	PendingWith = pendingURL
)
