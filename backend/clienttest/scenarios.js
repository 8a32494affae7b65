// What an app does with the client, as steps that run in Node and in a browser.
// Each is a function of the environment that throws when something is wrong.
'use strict';

function equal(got, want, what) {
    var a = JSON.stringify(got), b = JSON.stringify(want);
    if (a !== b) throw new Error((what || 'value') + ' is ' + a + ', want ' + b);
}

// fails runs a promise that has to be rejected and returns the error.
function fails(promise, what) {
    return promise.then(function (v) {
        throw new Error(what + ' succeeded: ' + JSON.stringify(v));
    }, function (e) { return e; });
}

function ids(rows) { return rows.map(function (r) { return r.id; }).sort().join(' '); }

var fruit = [
    { id: '1', name: 'Apple', qty: 3, ripe: true, picked: new Date(Date.UTC(2015, 0, 31, 23, 59, 58, 7)) },
    { id: '2', name: 'banana', qty: -1.5, ripe: false, picked: new Date(Date.UTC(2016, 1, 29)) },
    { id: '3', name: "it's é", qty: 0, ripe: true, picked: null },
    { id: '4', name: 'a_b%c', qty: 10, ripe: null, picked: new Date(Date.UTC(1969, 11, 31)) },
    { id: '5', name: null, qty: null, ripe: false, picked: new Date(Date.UTC(2016, 5, 15, 12, 30, 45, 678)) },
    { id: '6', name: 'Éclair', qty: 2.5, ripe: true, picked: new Date(Date.UTC(2020, 11, 1)) }
];

var queries = {
    all: [function (t) { return t; }, '1 2 3 4 5 6'],
    object: [function (t) { return t.where({ name: 'Apple' }); }, '1'],
    quote: [function (t) { return t.where({ name: "it's é" }); }, '3'],
    'null': [function (t) { return t.where({ name: null }); }, '5'],
    and: [function (t) { return t.where(function () { return this.qty > 0 && this.ripe; }); }, '1 6'],
    or: [function (t) { return t.where(function () { return this.qty < 0 || this.name === 'Apple'; }); }, '1 2'],
    not: [function (t) { return t.where(function () { return !(this.ripe); }); }, '2 5'],
    neq: [function (t) { return t.where(function () { return this.name != 'Apple'; }); }, '2 3 4 6'],
    ge: [function (t) { return t.where(function () { return this.qty >= 2.5 && this.qty <= 3; }); }, '1 6'],
    add: [function (t) { return t.where(function () { return this.qty + 1 == 4; }); }, '1'],
    sub: [function (t) { return t.where(function () { return this.qty - 1 == -2.5; }); }, '2'],
    mul: [function (t) { return t.where(function () { return this.qty * 2 == 5; }); }, '6'],
    div: [function (t) { return t.where(function () { return this.qty / 2 == 5; }); }, '4'],
    mod: [function (t) { return t.where(function () { return this.qty % 3 == 1; }); }, '4'],
    minus: [function (t) { return t.where(function () { return -this.qty == 1.5; }); }, '2'],
    inList: [function (t) { return t.where(function (l) { return this.name in l; }, ['Apple', 'Éclair']); }, '1 6'],
    bigList: [function (t) { return t.where(function (l) { return this.qty in l; }, Array.apply(null, Array(150)).map(function (_, i) { return i; })); }, '1 3 4'],
    lower: [function (t) { return t.where(function () { return this.name.toLowerCase() == 'éclair'; }); }, '6'],
    upper: [function (t) { return t.where(function () { return this.name.toUpperCase() == 'BANANA'; }); }, '2'],
    trim: [function (t) { return t.where(function () { return this.name.trim() == 'Apple'; }); }, '1'],
    length: [function (t) { return t.where(function () { return this.name.length == 6; }); }, '2 3 6'],
    indexOf: [function (t) { return t.where(function () { return this.name.indexOf('an') == 1; }); }, '2'],
    concat: [function (t) { return t.where(function () { return this.name.concat('!') == 'Apple!'; }); }, '1'],
    substring: [function (t) { return t.where(function () { return this.name.substring(1, 2) == 'pp'; }); }, '1'],
    substr: [function (t) { return t.where(function () { return this.name.substr(1, 4) == 'pple'; }); }, '1'],
    replace: [function (t) { return t.where(function () { return this.name.replace('a', 'o') == 'bonono'; }); }, '2'],
    year: [function (t) { return t.where(function () { return this.picked.getFullYear() == 2016; }); }, '2 5'],
    month: [function (t) { return t.where(function () { return this.picked.getMonth() == 0; }); }, '1'],
    day: [function (t) { return t.where(function () { return this.picked.getDate() == 29; }); }, '2'],
    time: ['$filter=hour(picked) eq 23 and minute(picked) eq 59 and second(picked) eq 58', '1'],
    yearOf1900: [function (t) { return t.where(function () { return this.picked.getYear() == 120; }); }, '6'],
    date: [function (t) { return t.where(function (d) { return this.picked < d; }, new Date(Date.UTC(2016, 0, 1))); }, '1 4'],
    sameDate: [function (t) { return t.where(function (d) { return this.picked == d; }, fruit[4].picked); }, '5'],
    floor: [function (t) { return t.where(function () { return Math.floor(this.qty) == -2; }); }, '2'],
    ceil: [function (t) { return t.where(function () { return Math.ceil(this.qty) == 3; }); }, '1 6'],
    round: [function (t) { return t.where(function () { return Math.round(this.qty) == 3; }); }, '1 6'],
    raw: ["$filter=substringof('%25',name) or startswith(name,'%C3%89') or endswith(name,'ana')", '2 4 6']
};

module.exports = function (env) {
    var client = new env.WindowsAzure.MobileServiceClient(env.url);
    var table = client.getTable('fruit');
    var all = {};

    all['insert, lookup, update, delete'] = function () {
        var first;
        return table.insert({ name: 'new', qty: 1, picked: fruit[0].picked }).then(function (row) {
            first = row;
            equal(row.id.length, 36, 'id');
            equal(row.picked.getTime(), fruit[0].picked.getTime(), 'date');
            equal([row.createdAt instanceof Date, row.updatedAt instanceof Date, typeof row.version], [true, true, 'string']);
            return table.update({ id: row.id, name: 'changed' });
        }).then(function (row) {
            equal([row.name, row.qty], ['changed', 1]);
            if (row.version === first.version) throw new Error('the version stayed');
            return table.lookup(first.id);
        }).then(function (row) {
            equal(row.name, 'changed');
            return table.del({ id: first.id });
        }).then(function () { return fails(table.lookup(first.id), 'lookup of a deleted row'); }).then(function (e) {
            equal([e.request.status, e.message], [404, 'The item does not exist']);
            // This version of the client has no undelete; its request is this.
            return new Promise(function (resolve, reject) {
                client._request('POST', 'tables/fruit/' + first.id, null, false, { 'ZUMO-API-VERSION': '2.0.0' }, [], function (e) { if (e) reject(e); else resolve(); });
            });
        }).then(function () { return table.lookup(first.id); }).then(function (row) {
            equal([row.name, row.deleted], ['changed', false]);
            return table.del(row);
        });
    };

    all['duplicate id'] = function () {
        return table.insert({ id: 'dup' }).then(function () { return fails(table.insert({ id: 'dup', name: 'again' }), 'a duplicate'); })
            .then(function (e) { equal(e.request.status, 409); });
    };

    all['conflict'] = function () {
        var old;
        return table.insert({ name: 'one' }).then(function (row) {
            old = row;
            return table.update({ id: row.id, name: 'two', version: row.version });
        }).then(function () { return fails(table.update({ id: old.id, name: 'three', version: old.version }), 'a stale update'); }).then(function (e) {
            equal([e.request.status, e.serverInstance.name, e.message], [412, 'two', 'Precondition Failed']);
            return fails(table.del({ id: old.id, version: old.version }), 'a stale delete');
        }).then(function (e) {
            equal([e.request.status, e.serverInstance.name], [412, 'two']);
            return table.del(e.serverInstance);
        });
    };

    all['queries'] = function () {
        var chain = Promise.resolve(), wrong = [], q = client.getTable('basket');
        fruit.forEach(function (f) { chain = chain.then(function () { return q.insert(Object.assign({}, f)); }); });
        Object.keys(queries).forEach(function (name) {
            chain = chain.then(function () {
                var make = queries[name][0];
                return typeof make === 'string' ? q.read(make) : make(q).read();
            }).then(function (rows) {
                if (ids(rows) !== queries[name][1]) wrong.push(name + ': ' + ids(rows) + ', want ' + queries[name][1]);
            }, function (e) { wrong.push(name + ': ' + e.message); });
        });
        return chain.then(function () {
            if (wrong.length) throw new Error(wrong.join('\n'));
            return q.orderBy('name').take(4).read();
        }).then(function (rows) {
            equal(rows.map(function (r) { return r.name; }), [null, 'a_b%c', 'Apple', 'banana'], 'ordered');
            return q.orderByDescending('qty').skip(1).take(2).select('id', 'qty').includeTotalCount().read();
        }).then(function (rows) {
            equal(rows, [{ id: '1', qty: 3 }, { id: '6', qty: 2.5 }], 'a page');
            equal(rows.totalCount, 6, 'count');
            return q.orderBy('qty').select(function () { return { double: this.qty * 2 }; }).take(2).read();
        }).then(function (rows) { equal(rows, [{ double: 0 }, { double: -3 }], 'projected'); });
    };

    all['paging'] = function () {
        var pages = client.getTable('page'), seen = [], chain = Promise.resolve();
        for (var i = 0; i < 7; i++) (function (i) { chain = chain.then(function () { return pages.insert({ id: 'p' + i, n: i }); }); })(i);
        function next(link) {
            return pages.read(link).then(function (rows) {
                rows.forEach(function (r) { seen.push(r.id); });
                return rows.length && rows.nextLink ? next(rows.nextLink) : null;
            });
        }
        return chain.then(function () { return next('$orderby=n&$select=id'); }).then(function () {
            equal(seen.join(' '), 'p0 p1 p2 p3 p4 p5 p6');
            return fails(pages.take(2000).read(), 'a page that is too large');
        }).then(function (e) { equal([e.request.status, e.message], [400, 'You cannot request more than 1000 records']); });
    };

    all['errors'] = function () {
        return fails(client.getTable('nothing').read(), 'a table that is not there').then(function (e) {
            equal(e.request.status, 404);
            return fails(table.read('$filter=('), 'a bad filter');
        }).then(function (e) {
            equal(e.request.status, 400);
            return fails(client.getTable('closed').insert({}), 'a disabled operation');
        }).then(function (e) {
            equal([e.request.status, e.message], [405, 'Method insert is not allowed']);
            return fails(client.getTable('secret').read(), 'a table for users');
        }).then(function (e) { equal([e.request.status, e.message], [401, 'You must be logged in to use this application']); });
    };

    all['custom API'] = function () {
        return client.invokeApi('echo', { method: 'POST', body: { a: 1 }, parameters: { x: 'é' } }).then(function (r) {
            equal([r.result.method, r.result.query.x, r.result.body], ['POST', ['é'], '{"a":1}']);
            return client.invokeApi('echo', { method: 'DELETE', parameters: { status: '418' } });
        }).then(function () { throw new Error('418 succeeded'); }, function (e) { equal(e.request.status, 418); });
    };

    all['push registration'] = function () {
        return client.invokeApi('echo', { method: 'GET' }).then(function () {
            return new Promise(function (resolve, reject) {
                client._request('PUT', 'push/installations/1a2b', { platform: 'gcm' }, function (e) { if (e) reject(e); else resolve(); });
            });
        });
    };

    // device is a client with an offline store of its own.
    function device() {
        var c = new env.WindowsAzure.MobileServiceClient(env.url), store = new env.Store('db' + Math.random());
        var Type = env.ColumnType;
        return store.defineTable({ name: 'todo', columnDefinitions: { id: Type.String, text: Type.String, done: Type.Boolean, n: Type.Real, at: Type.Date,
            version: Type.String, createdAt: Type.Date, updatedAt: Type.Date, deleted: Type.Boolean } }).then(function () {
            return c.getSyncContext().initialize(store);
        }).then(function () { return { client: c, sync: c.getSyncContext(), table: c.getSyncTable('todo') }; });
    }

    all['offline push and pull'] = function () {
        var one, two, Query = env.WindowsAzure.Query, id;
        return Promise.all([device(), device()]).then(function (d) {
            one = d[0]; two = d[1];
            return one.table.insert({ text: 'offline', done: false, n: 1.5, at: fruit[0].picked });
        }).then(function (row) { id = row.id; return one.sync.push(); }).then(function (conflicts) {
            equal(conflicts.length, 0, 'conflicts');
            return two.table.pull(new Query('todo'), 'all');
        }).then(function () { return two.table.lookup(id); }).then(function (row) {
            equal([row.text, row.done, row.n, row.at.getTime()], ['offline', false, 1.5, fruit[0].picked.getTime()]);
            return two.table.update({ id: id, text: 'from two' });
        }).then(function () { return two.sync.push(); }).then(function () {
            return one.table.update({ id: id, text: 'from one' });
        }).then(function () {
            var seen = [];
            one.sync.pushHandler = {
                onConflict: function (e) {
                    seen.push([e.isConflict(), e.getServerRecord().text, e.getClientRecord().text]);
                    var mine = e.getClientRecord();
                    mine.version = e.getServerRecord().version;
                    ['at', 'createdAt', 'updatedAt'].forEach(function (k) { mine[k] = new Date(mine[k]); });
                    // update means to say that the conflict is handled, but says it wrongly.
                    return e.update(mine).then(function () { e.isHandled = true; }, function (err) { seen.push(String(err)); });
                },
                onError: function (e) { throw e.getError(); }
            };
            return one.sync.push().then(function (left) {
                equal(seen, [[true, 'from two', 'from one']], 'conflicts');
                equal(left.length, 0, 'conflicts left');
            });
        }).then(function () { return two.table.pull(new Query('todo'), 'all'); }).then(function () { return two.table.lookup(id); }).then(function (row) {
            equal(row.text, 'from one');
            return one.table.del({ id: id });
        }).then(function () { return one.sync.push(); }).then(function () {
            return two.table.pull(new Query('todo'), 'all');
        }).then(function () { return two.table.lookup(id, true); }).then(function (row) { equal(row || null, null, 'a row that was deleted elsewhere'); });
    };

    all['pull in pages'] = function () {
        var todo = client.getTable('todo'), one, inserts = [];
        for (var i = 0; i < 25; i++) inserts.push(todo.insert({ id: 'bulk' + i, n: i }));
        return Promise.all(inserts).then(device).then(function (d) {
            one = d;
            return one.table.pull(new env.WindowsAzure.Query('todo'), 'bulk', { pageSize: 4 });
        }).then(function () { return one.table.read(new env.WindowsAzure.Query('todo')); }).then(function (rows) {
            equal(rows.filter(function (r) { return /^bulk/.test(r.id); }).length, 25, 'rows pulled');
            return todo.update({ id: 'bulk3', n: 33 });
        }).then(function () { return one.table.pull(new env.WindowsAzure.Query('todo'), 'bulk', { pageSize: 4 }); })
            .then(function () { return one.table.lookup('bulk3'); }).then(function (row) { equal(row.n, 33); });
    };
    return all;
};

// run runs all scenarios one after another and reports each.
module.exports.run = function (env, report) {
    var all = module.exports(env), chain = Promise.resolve();
    Object.keys(all).forEach(function (name) {
        chain = chain.then(all[name]).then(function () { report({ name: name, ok: true }); }, function (e) {
            report({ name: name, ok: false, error: String(e && (e.stack || e.message) || e) });
        });
    });
    return chain;
};
