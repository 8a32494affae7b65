// {{.Name}}: signing in, the rows of a table, a call to another host.
(function () {
  "use strict";

  // Where the backend is. Under "cordon up" the pages come from the backend
  // itself. For devices, write the address of your own server between the
  // quotes, and list its host in config.xml.
  const development = window.location.hostname === "localhost" && window.location.port !== "";
  const backend = development ? window.location.origin : "";
  const provider = "development"; // a name below identity.providers in cordon.yaml

  const $ = (id) => document.getElementById(id);
  let token = null;

  function say(text) {
    $("message").textContent = text;
  }

  // The sign-in page comes back here with the token in the fragment, which no
  // server sees. It goes from the address at once. Without a sign-in that was
  // begun in this window it counts for nothing: anybody can make a link that
  // would sign the user in as somebody else.
  function returned() {
    const fragment = window.location.hash.slice(1);
    if (!fragment.startsWith("token=") && !fragment.startsWith("error=")) return;
    window.history.replaceState(null, "", window.location.pathname);
    const begun = window.sessionStorage.getItem("begun");
    window.sessionStorage.removeItem("begun");
    if (!begun) return;
    try {
      const text = decodeURIComponent(fragment.slice(6));
      if (fragment.startsWith("error=")) throw new Error(text);
      const session = JSON.parse(text);
      if (!session.authenticationToken || !session.user.userId) throw new Error("the answer holds no user");
      window.sessionStorage.setItem("session", text);
    } catch (error) {
      say("Sign-in failed: " + error.message);
    }
  }

  function signIn() {
    window.sessionStorage.setItem("begun", "yes");
    const back = window.location.href.split("#")[0];
    window.location.href = backend + "/.auth/login/" + provider + "?session_mode=token&post_login_redirect_uri=" + encodeURIComponent(back);
  }

  function signOut(text) {
    window.sessionStorage.removeItem("session");
    token = null;
    show(null);
    say(text || "");
  }

  function show(session) {
    $("who").textContent = session ? "Signed in as " + session.user.userId : "Nobody is signed in.";
    $("in").hidden = Boolean(session);
    $("out").hidden = !session;
{{- if .Table}}
    $("rows").hidden = !session;
{{- end}}
  }
{{- if .Table}}

  // ask calls the backend for the user who is signed in.
  function ask(method, path, body) {
    const headers = { "X-ZUMO-AUTH": token, "ZUMO-API-VERSION": "2.0.0" };
    if (body) headers["Content-Type"] = "application/json";
    return fetch(backend + path, { method: method, headers: headers, body: body && JSON.stringify(body) }).then((answer) => {
      if (answer.ok) return answer.status === 204 ? null : answer.json();
      if (answer.status === 401) signOut("Your sign-in has ended. Please sign in again.");
      throw new Error("The backend answered " + answer.status + ".");
    });
  }

  const table = "/tables/{{.Table}}";

  function list() {
    return ask("GET", table + "?$orderby=text").then((rows) => {
      $("list").replaceChildren(...rows.map(entry));
    });
  }

  function entry(row) {
    const li = document.createElement("li");
    const text = document.createElement("span");
    const gone = document.createElement("button");
    text.textContent = row.text;
    gone.className = "quiet";
    gone.textContent = "Remove";
    gone.setAttribute("aria-label", "Remove " + row.text);
    gone.addEventListener("click", () => ask("DELETE", table + "/" + encodeURIComponent(row.id)).then(list).catch(problem));
    li.append(text, gone);
    return li;
  }

  function add(event) {
    event.preventDefault();
    ask("POST", table, { text: $("text").value }).then(() => {
      $("text").value = "";
      return list();
    }).catch(problem);
  }

  function problem(error) {
    if (token) say(error.message);
  }
{{- end}}
{{- if .Host}}

  function call() {
    $("answer").textContent = "…";
    fetch("https://{{.Host}}/", { mode: "no-cors" }).then(
      () => { $("answer").textContent = "It was let through, and it answered."; },
      () => { $("answer").textContent = "It did not answer. The console's page Traffic says whether it was let through."; },
    );
  }
{{- end}}

  function start() {
    $("console").hidden = !development;
    $("in").addEventListener("click", signIn);
    $("out").addEventListener("click", () => signOut());
{{- if .Table}}
    $("add").addEventListener("submit", add);
{{- end}}
{{- if .Host}}
    $("call").addEventListener("click", call);
{{- end}}
    if (!backend) {
      $("in").hidden = true;
      say("Write the address of your backend into js/app.js, and list its host in config.xml.");
      return;
    }
    returned();
    const session = JSON.parse(window.sessionStorage.getItem("session"));
    show(session);
    if (!session) return;
    token = session.authenticationToken;
{{- if .Table}}
    list().catch(problem);
{{- end}}
  }

  document.addEventListener("deviceready", start, { once: true });
})();
