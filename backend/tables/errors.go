package tables

import (
	"context"
	"errors"
	"net/http"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// httpError is an answer that is no success. Text bodies are what the original
// sends for 401 and 405; everything else is {"error":"…"}.
type httpError struct {
	status int
	msg    string
	plain  bool
}

// Error is the text for the caller.
func (e *httpError) Error() string { return e.msg }

func badRequest(msg string) error { return &httpError{status: http.StatusBadRequest, msg: msg} }

var (
	errVersion = badRequest("An invalid API version was specified in the request, this request needs to specify a " +
		"ZUMO-API-VERSION of 2.0.0.")
	errLogin = &httpError{status: http.StatusUnauthorized, msg: "You must be logged in to use this application",
		plain: true}
	errRule    = &httpError{status: http.StatusForbidden, msg: "You are not allowed to do this"}
	errNoTable = &httpError{status: http.StatusNotFound, msg: "There is no such table"}
	errGone    = &httpError{status: http.StatusGone, msg: "The item has been deleted"}
	errLarge   = &httpError{status: http.StatusRequestEntityTooLarge, msg: "request entity too large"}
	errMedia   = &httpError{status: http.StatusUnsupportedMediaType, msg: "The body must be application/json"}
	errBusy    = &httpError{status: http.StatusServiceUnavailable, msg: "The database is not available"}
)

// asHTTP is what an error means to the caller. What the caller cannot have
// caused is 503 or 500 with a text that says nothing about the database.
func asHTTP(err error) *httpError {
	var (
		he        *httpError
		syntax    *odata.SyntaxError
		unknown   *odata.UnknownColumnError
		query     *QueryError
		schema    *SchemaError
		duplicate *DuplicateError
	)
	switch {
	case errors.As(err, &he):
		return he
	case errors.Is(err, ErrNotFound):
		return &httpError{status: http.StatusNotFound, msg: ErrNotFound.Error()}
	case errors.As(err, &syntax), errors.As(err, &unknown):
		return &httpError{status: http.StatusBadRequest, msg: err.Error()}
	case errors.As(err, &query):
		return &httpError{status: http.StatusBadRequest, msg: query.Msg}
	case errors.As(err, &schema):
		return &httpError{status: http.StatusBadRequest,
			msg: "The column '" + schema.Column + "' cannot take this value: " + schema.Msg}
	case errors.As(err, &duplicate):
		return &httpError{status: http.StatusConflict, msg: duplicate.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &httpError{status: http.StatusServiceUnavailable, msg: "The request took too long"}
	case errors.Is(err, context.Canceled):
		return errBusy
	}
	return &httpError{status: http.StatusServiceUnavailable, msg: errBusy.msg}
}
