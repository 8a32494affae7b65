package schema

// purposes say what each of Cordon's own tables is for. Whoever adds a table or a
// column to the migrations writes it here: a test names what is missing. When in
// doubt a table is Copied, and a value Personal.
var purposes = map[string]purpose{
	"cordon_migrations": {
		Purpose: Purpose{Holds: "a migration that this database has", Class: Made},
		columns: map[string]Content{
			"name":    {Holds: "the migration's name"},
			"applied": {Holds: "when it was applied"},
			"kind":    {Holds: "`expand` or `contract`; absent where a version from before the kinds applied it"},
		},
	},
	"cordon_columns": {
		Purpose: Purpose{Holds: "a column of one of the app's tables of rows", Class: Made},
		columns: map[string]Content{
			"tbl":  {Holds: "the table"},
			"pos":  {Holds: "the column's place in it"},
			"name": {Holds: "the column's name"},
			"type": {Holds: "`string`, `number`, `boolean`, `date`, `integer` or `version`"},
		},
	},
	"cordon_clock": {
		Purpose: Purpose{Holds: "the latest `updatedAt` that one of the app's tables ever gave out", Class: Made},
		columns: map[string]Content{
			"name": {Holds: "the table"},
			"ms":   {Holds: "the time"},
		},
	},
	"cordon_import": {
		Purpose: Purpose{Holds: "an import of rows, a batch that `cordon tables undo` takes back", Class: Copied},
		columns: map[string]Content{
			"name":    {Holds: "the batch's name"},
			"tbl":     {Holds: "the table"},
			"source":  {Holds: "the file's name"},
			"began":   {Holds: "when it was begun"},
			"ended":   {Holds: "when the file had been read to its end"},
			"read":    {Holds: "how many rows of the file are dealt with"},
			"digest":  {Holds: "a hash of those rows, by which an import that goes on knows its file"},
			"written": {Holds: "how many rows were written"},
		},
	},
	"cordon_import_row": {
		Purpose: Purpose{
			Holds: "a row that a batch has brought in, until the batch is taken back or forgotten", Class: Copied,
			Trace: "by the row of that id in the app's table"},
		columns: map[string]Content{
			"batch":   {Holds: "the batch's name"},
			"number":  {Holds: "the row's number in the file"},
			"id":      {Holds: "the row's id", Personal: true},
			"version": {Holds: "the version that it was written with"},
			"before":  {Holds: "with `--replace`, the row whose place it took, whole, as JSON", Personal: true},
		},
	},
	"cordon_secret": {
		Purpose: Purpose{
			Holds: "a secret that is made once and never changes, such as the key of user ids; it lies open",
			Class: Copied},
		columns: map[string]Content{
			"name":  {Holds: "what the secret is for"},
			"value": {Holds: "the secret itself, not sealed (decision 61)"},
		},
	},
	"cordon_once": {
		Purpose: Purpose{
			Holds: "a thing of one use: the code that a native app trades for a token, " +
				"or the mark that a sign-in was used or a refresh has begun",
			Class: Copied,
			Trace: "not at all, since the key is a hash and the value is sealed; " +
				"a record ends within minutes to hours"},
		columns: map[string]Content{
			"kind":    {Holds: "`code`, `state` or `refresh`"},
			"key":     {Holds: "a hash of what the client holds, or of the session that is refreshed"},
			"sealed":  {Holds: "the session and the provider that a code stands for", Personal: true, Sealed: true},
			"expires": {Holds: "when the record ends"},
		},
	},
	"cordon_user": {
		Purpose: Purpose{Holds: "a person who has signed in at least once", Class: Copied, Person: "id"},
		columns: map[string]Content{
			"id":       {Holds: "the user id, a keyed hash of issuer and subject", Personal: true},
			"provider": {Holds: "the provider's name in the configuration"},
			"issuer":   {Holds: "what the provider calls itself"},
			"subject":  {Holds: "what the provider calls the person", Personal: true},
			"name":     {Holds: "the name that the provider last said", Personal: true},
			"mail":     {Holds: "the mail address that the provider last said", Personal: true},
			"created":  {Holds: "the first sign-in", Personal: true},
			"seen":     {Holds: "the latest sign-in", Personal: true},
			"merged":   {Holds: "the user id of the same person, who stands for this one; or absent", Personal: true},
		},
	},
	"cordon_session": {
		Purpose: Purpose{Holds: "one sign-in of one person with one client", Class: Copied, Person: "user_id"},
		columns: map[string]Content{
			"id":       {Holds: "the session's random id, which its tokens carry", Personal: true},
			"user_id":  {Holds: "the user id", Personal: true},
			"provider": {Holds: "the provider's name in the configuration"},
			"name":     {Holds: "the person's friendly name", Personal: true},
			"agent":    {Holds: "the client's User-Agent, shortened", Personal: true},
			"created":  {Holds: "when the person signed in", Personal: true},
			"renewed":  {Holds: "the latest refresh", Personal: true},
			"expires":  {Holds: "when the newest token ends"},
			"revoked":  {Holds: "when the session was ended before its time"},
			"sealed":   {Holds: "the provider's claims and tokens", Personal: true, Sealed: true},
			"version":  {Holds: "how often the record was written"},
		},
	},
	"cordon_revocation": {
		Purpose: Purpose{
			Holds: "an order to refuse a session's tokens, or a user's, before their time", Class: Copied,
			Person: "user_id",
			Trace:  "where the user id is empty, the session of that id in `cordon_session` has it"},
		columns: map[string]Content{
			"session": {Holds: "the session's id, or empty", Personal: true},
			"user_id": {Holds: "the user id, or empty", Personal: true},
			"before":  {Holds: "the user's tokens up to this time are refused"},
			"at":      {Holds: "when it was recorded"},
			"expires": {Holds: "when no token is left that it could refuse"},
		},
	},
	"cordon_signing_key": {
		Purpose: Purpose{Holds: "an asymmetric key that session tokens are signed with", Class: Copied},
		columns: map[string]Content{
			"id":      {Holds: "the key's id in tokens and in the published key set"},
			"sealed":  {Holds: "the private key", Sealed: true},
			"created": {Holds: "when it was made and published"},
			"active":  {Holds: "from when on tokens are signed with it"},
			"retired": {Holds: "when the last token signed with it ends"},
		},
	},
}
