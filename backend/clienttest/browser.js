// Runs the scenarios in a page and posts every outcome to the page's server.
// Bundled with browserify.
'use strict';
var queue = Promise.resolve();
function report(outcome) {
    queue = queue.then(function () { return fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) }); });
}
window.onerror = function (message) { report({ name: 'page', ok: false, error: String(message) }); };
require('sql.js/dist/sql-asm.js')().then(function (SQL) {
    window.sqlitePlugin = require('./sqlite.js')(SQL);
    return require('./scenarios.js').run({
        url: new URLSearchParams(location.search).get('url'),
        WindowsAzure: require('azure-mobile-apps-client'),
        Store: require('azure-mobile-apps-client/sdk/src/Platform/cordova/MobileServiceSqliteStore'),
        ColumnType: require('azure-mobile-apps-client/sdk/src/sync/ColumnType')
    }, report);
}).then(function () { report({ done: true }); }, function (e) { report({ name: 'start', ok: false, error: String(e.stack || e) }); report({ done: true }); });
