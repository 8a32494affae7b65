// Runs the scenarios in Node: node node.js MODULES URL. Every outcome is a line
// of JSON on standard output.
'use strict';
var http = require('http'), path = require('path');
var modules = process.argv[2], url = process.argv[3];
function load(name) { return require(path.join(modules, name)); }

// The client is made for browsers: it needs an XMLHttpRequest.
global.XMLHttpRequest = function () {
    var self = this, headers = {}, options, answer;
    self.withCredentials = false;
    self.readyState = 0;
    self.open = function (method, address) {
        var u = new URL(address);
        options = { method: method, hostname: u.hostname, port: u.port, path: u.pathname + u.search, headers: headers };
    };
    self.setRequestHeader = function (name, value) { headers[name] = value; };
    self.getResponseHeader = function (name) { return answer ? answer.headers[name.toLowerCase()] || null : null; };
    self.getAllResponseHeaders = function () { return JSON.stringify(answer && answer.headers); };
    function finish(status, text, body) {
        self.status = status; self.statusText = text; self.responseText = body; self.readyState = 4;
        self.onreadystatechange();
    }
    self.send = function (data) {
        var body = data ? Buffer.from(data, 'utf8') : null;
        if (body) headers['Content-Length'] = body.length;
        var r = http.request(options, function (res) {
            var parts = [];
            res.on('data', function (d) { parts.push(d); });
            res.on('end', function () { answer = res; finish(res.statusCode, res.statusMessage, Buffer.concat(parts).toString('utf8')); });
        });
        r.on('error', function (e) { finish(0, e.message, ''); });
        r.end(body);
    };
};
global.window = global;
if (!global.navigator) global.navigator = { userAgent: 'node', language: 'en' };

load('sql.js/dist/sql-asm.js')().then(function (SQL) {
    global.sqlitePlugin = require('./sqlite.js')(SQL);
    return require('./scenarios.js').run({
        url: url,
        WindowsAzure: load('azure-mobile-apps-client'),
        Store: load('azure-mobile-apps-client/sdk/src/Platform/cordova/MobileServiceSqliteStore'),
        ColumnType: load('azure-mobile-apps-client/sdk/src/sync/ColumnType')
    }, function (outcome) { console.log(JSON.stringify(outcome)); });
}).then(function () { console.log(JSON.stringify({ done: true })); }, function (e) {
    console.log(JSON.stringify({ name: 'start', ok: false, error: String(e.stack || e) }));
    process.exit(1);
});
