// A store for the client's offline sync that keeps its tables in the web view's
// localStorage, so that it needs no plugin. It has the functions that the
// client asks of a store (defineTable, upsert, lookup, read, del,
// executeBatch); each returns a promise.
(function () {
  "use strict";

  function LocalStore(name) {
    this.name = name;
    this.tables = {};
  }

  LocalStore.prototype.defineTable = function (definition) {
    const key = this.name + "/" + definition.name;
    const saved = window.localStorage.getItem(key);
    this.tables[definition.name] = { key: key, columns: definition.columnDefinitions, rows: saved ? JSON.parse(saved) : {} };
    return Promise.resolve();
  };

  LocalStore.prototype.table = function (name) {
    const table = this.tables[name];
    if (!table) throw new Error("the table " + name + " is not defined");
    return table;
  };

  // Dates are kept as text and come back as dates.
  function revive(table, row) {
    const copy = {};
    for (const column of Object.keys(row)) {
      const value = row[column];
      copy[column] = table.columns[column] === "date" && value !== null ? new Date(value) : value;
    }
    return copy;
  }

  function put(table, row) {
    const kept = Object.assign({}, table.rows[row.id]);
    for (const column of Object.keys(row)) {
      if (column in table.columns) kept[column] = row[column];
    }
    table.rows[row.id] = JSON.parse(JSON.stringify(kept));
  }

  function save(table) {
    window.localStorage.setItem(table.key, JSON.stringify(table.rows));
  }

  LocalStore.prototype.upsert = function (name, rows) {
    const table = this.table(name);
    [].concat(rows || []).forEach((row) => put(table, row));
    save(table);
    return Promise.resolve();
  };

  LocalStore.prototype.lookup = function (name, id, quiet) {
    const table = this.table(name);
    const row = table.rows[id];
    if (!row && !quiet) return Promise.reject(new Error("no item " + id + " in " + name));
    return Promise.resolve(row ? revive(table, row) : undefined);
  };

  LocalStore.prototype.read = function (query) {
    const parts = query.getComponents();
    const table = this.table(parts.table);
    let rows = Object.keys(table.rows).map((id) => revive(table, table.rows[id]));
    if (parts.filters) rows = rows.filter((row) => evaluate(parts.filters, row));
    rows.sort((a, b) => order(a, b, parts.orderClauses));
    rows = rows.slice(parts.skip || 0);
    if (parts.take !== null && parts.take !== undefined) rows = rows.slice(0, parts.take);
    return Promise.resolve(parts.includeTotalCount ? { result: rows, count: rows.length } : rows);
  };

  LocalStore.prototype.del = function (what, ids) {
    if (typeof what === "string") {
      const table = this.table(what);
      [].concat(ids).forEach((id) => delete table.rows[id]);
      save(table);
      return Promise.resolve();
    }
    return this.read(what).then((rows) => this.del(what.getComponents().table, rows.map((row) => row.id)));
  };

  LocalStore.prototype.executeBatch = function (operations) {
    return operations.filter(Boolean).reduce(
      (before, o) => before.then(() => (o.action === "delete" ? this.del(o.tableName, o.id) : this.upsert(o.tableName, o.data))),
      Promise.resolve(),
    );
  };

  LocalStore.prototype.close = function () {
    return Promise.resolve();
  };

  function order(a, b, clauses) {
    for (const clause of clauses) {
      const x = a[clause.name];
      const y = b[clause.name];
      if (x < y) return clause.ascending ? -1 : 1;
      if (x > y) return clause.ascending ? 1 : -1;
    }
    return 0;
  }

  const operators = {
    And: (x, y) => x && y,
    Or: (x, y) => x || y,
    Equal: (x, y) => x === y,
    NotEqual: (x, y) => x !== y,
    GreaterThan: (x, y) => x > y,
    GreaterThanOrEqual: (x, y) => x >= y,
    LessThan: (x, y) => x < y,
    LessThanOrEqual: (x, y) => x <= y,
  };

  // evaluate computes the client's expressions over a row: those that sync
  // itself uses, and the app's own.
  function evaluate(e, row) {
    if ("member" in e) return plain(row[e.member]);
    if ("value" in e) return plain(e.value);
    if (e.operator === "Not") return !evaluate(e.operand, row);
    const operator = operators[e.operator];
    if (!operator) throw new Error("this store cannot compute " + e.operator);
    return operator(evaluate(e.left, row), evaluate(e.right, row));
  }

  function plain(value) {
    return value instanceof Date ? value.getTime() : value;
  }

  window.LocalStore = LocalStore;
})();
