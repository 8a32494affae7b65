// The items over plain fetch: each change goes to the backend at once, and there
// is nothing without a network.
(function () {
  "use strict";

  // ask resolves to the answer's JSON. An error has the status and a sentence.
  function ask(user, method, path, body) {
    const headers = { "X-ZUMO-AUTH": user.mobileServiceAuthenticationToken, "ZUMO-API-VERSION": "2.0.0" };
    if (body) headers["Content-Type"] = "application/json";
    return fetch(window.hosts.backend + path, { method: method, headers: headers, body: body && JSON.stringify(body) }).then((answer) => {
      if (answer.ok) return answer.status === 204 ? null : answer.json();
      throw Object.assign(new Error("the backend answered " + answer.status), { status: answer.status });
    });
  }

  const table = "/tables/todoitem";

  window.askBackend = ask;

  // openOnline resolves to the items of a user, as openSynced does.
  window.openOnline = function (user) {
    return Promise.resolve({
      offline: false,
      list: () => ask(user, "GET", table + "?$orderby=text"),
      add: (text) => ask(user, "POST", table, { text: text, complete: false }),
      change: (item) => ask(user, "PATCH", table + "/" + encodeURIComponent(item.id), { complete: item.complete }),
      remove: (item) => ask(user, "DELETE", table + "/" + encodeURIComponent(item.id)),
      sync: () => Promise.resolve(),
    });
  };
})();
