package lint

import "github.com/cordon-sec/cordon/policy/app"

// Project is an app's folder, read.
//
// Deprecated: use app.App.
type Project = app.App

// File is one file of an app.
//
// Deprecated: use app.File.
type File = app.File

// Page is one HTML file, taken apart.
//
// Deprecated: use app.Page.
type Page = app.Page
