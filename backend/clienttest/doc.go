// Package clienttest drives the backend with the original client library, npm
// azure-mobile-apps-client 2.0.1, unmodified: in Node, in headless Chromium from
// another origin, and with the library's own browser suite. It has only tests.
//
// The npm packages are installed into the user's cache. Without node, npm or
// Chromium the tests are skipped and say so.
package clienttest
