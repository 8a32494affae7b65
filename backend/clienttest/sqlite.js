// The part of cordova-sqlite-storage that the client's own offline store uses,
// on SQLite compiled to JavaScript.
'use strict';
module.exports = function (SQL) {
    function open() {
        var db = new SQL.Database();
        function run(sql, params) {
            var statement = db.prepare(sql), rows = [];
            statement.bind(params || []);
            while (statement.step()) rows.push(statement.getAsObject());
            statement.free();
            return { rows: { length: rows.length, item: function (i) { return rows[i]; } }, rowsAffected: db.getRowsModified() };
        }
        return {
            transaction: function (body, failed, done) {
                setTimeout(function () {
                    db.exec('BEGIN');
                    var queue = [], tx = {
                        executeSql: function (sql, params, success) { queue.push([sql, params, success]); }
                    };
                    try {
                        body(tx);
                        while (queue.length) {
                            var next = queue.shift(), result = run(next[0], next[1]);
                            if (next[2]) next[2](tx, result);
                        }
                        db.exec('COMMIT');
                    } catch (e) {
                        db.exec('ROLLBACK');
                        return failed && failed(e);
                    }
                    if (done) done();
                });
            },
            executeSql: function (sql, params, success, failed) {
                setTimeout(function () {
                    var result;
                    try { result = run(sql, params); } catch (e) { return failed && failed(e); }
                    if (success) success(result);
                });
            },
            close: function (success) { db.close(); if (success) success(); }
        };
    }
    return {
        openDatabase: function (options, success) {
            var db = open();
            setTimeout(function () { success(db); });
            return db;
        }
    };
};
