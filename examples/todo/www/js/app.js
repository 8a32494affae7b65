// The todo app: sign in, add items, go on without a network, sync.
(function () {
  "use strict";

  const PROVIDER = "google";
  const hosts = window.hosts;
  let client;
  let items; // the table that syncs, once somebody is signed in

  function $(id) {
    return document.getElementById(id);
  }

  function say(text) {
    $("message").textContent = text;
  }

  function problem(what) {
    return (e) => say(what + ": " + ((e && e.message) || e));
  }

  // Whoever signs in by a redirect comes back with the token in the fragment,
  // which no server sees. It goes from the address at once.
  function returned() {
    const fragment = window.location.hash.slice(1);
    if (!fragment.startsWith("token=") && !fragment.startsWith("error=")) return null;
    window.history.replaceState(null, "", window.location.pathname);
    const text = decodeURIComponent(fragment.slice(6));
    if (fragment.startsWith("error=")) {
      say("Sign-in failed: " + text);
      return null;
    }
    const result = JSON.parse(text);
    return { userId: result.user.userId, mobileServiceAuthenticationToken: result.authenticationToken };
  }

  function signIn() {
    client.login(PROVIDER).then(welcome).catch(problem("Sign-in failed"));
  }

  function signInHere() {
    const back = window.location.href.split("#")[0];
    window.location.href = hosts.backend + "/.auth/login/" + PROVIDER +
      "?session_mode=token&post_login_redirect_uri=" + encodeURIComponent(back);
  }

  // What is kept of a sign-in lasts as long as this window.
  function welcome(user) {
    client.currentUser = user;
    window.sessionStorage.setItem("user", JSON.stringify({ userId: user.userId, mobileServiceAuthenticationToken: user.mobileServiceAuthenticationToken }));
    $("who").textContent = "Signed in as " + user.userId;
    show(true);
    const store = new window.LocalStore("todo/" + user.userId);
    const columns = { id: "string", text: "string", complete: "boolean", version: "string", updatedAt: "date", createdAt: "date", deleted: "boolean" };
    return store.defineTable({ name: "todoitem", columnDefinitions: columns })
      .then(() => client.getSyncContext().initialize(store))
      .then(() => {
        items = client.getSyncTable("todoitem");
        return list();
      })
      .then(sync);
  }

  function signOut() {
    window.sessionStorage.removeItem("user");
    client.logout();
    window.location.reload();
  }

  function show(signedIn) {
    $("popup").hidden = $("redirect").hidden = signedIn;
    $("out").hidden = $("items").hidden = !signedIn;
  }

  // Changes are made to the store on this device; sync takes them along.
  function add(event) {
    event.preventDefault();
    const text = $("text").value.trim();
    if (!text) return;
    items.insert({ text: text, complete: false }).then(() => {
      $("text").value = "";
      return list();
    }).then(sync).catch(problem("The item was not added"));
  }

  function change(item) {
    items.update(item).then(list).then(sync).catch(problem("The item was not changed"));
  }

  function remove(item) {
    items.del(item).then(list).then(sync).catch(problem("The item was not removed"));
  }

  function list() {
    const query = new window.WindowsAzure.Query("todoitem").orderBy("text");
    return items.read(query).then((rows) => {
      $("list").replaceChildren(...rows.map(entry));
    });
  }

  function entry(item) {
    const li = document.createElement("li");
    const box = document.createElement("input");
    const label = document.createElement("label");
    const gone = document.createElement("button");
    box.type = "checkbox";
    box.checked = item.complete === true;
    box.id = "item-" + item.id;
    box.addEventListener("change", () => change(Object.assign({}, item, { complete: box.checked })));
    label.htmlFor = box.id;
    label.textContent = item.text;
    gone.textContent = "Remove";
    gone.setAttribute("aria-label", "Remove " + item.text);
    gone.addEventListener("click", () => remove(item));
    li.classList.toggle("done", box.checked);
    li.append(box, label, gone);
    return li;
  }

  // push sends what changed here, pull brings what changed elsewhere.
  function sync() {
    if (!navigator.onLine) {
      $("state").textContent = "Without a network; changes wait on this device.";
      return Promise.resolve();
    }
    $("state").textContent = "Syncing…";
    const context = client.getSyncContext();
    context.pushHandler = { onConflict: theirs, onError: (e) => e.isHandled };
    return context.push()
      .then(() => items.pull(new window.WindowsAzure.Query("todoitem"), "all"))
      .then(list)
      .then(() => { $("state").textContent = "In step with the backend."; })
      .catch((e) => { $("state").textContent = "Not synced: " + ((e && e.message) || e); });
  }

  // Of two changes to one item, the one that reached the backend first stays.
  function theirs(conflict) {
    return conflict.cancelAndUpdate(conflict.serverRecord);
  }

  function askTip() {
    client.invokeApi("tip", { method: "GET" })
      .then((answer) => { $("tip").textContent = answer.result.tip; })
      .catch(problem("No tip"));
  }

  function media() {
    $("picture").addEventListener("load", () => { $("pictureState").textContent = ""; });
    $("picture").addEventListener("error", () => { $("pictureState").textContent = "The picture was not let through."; });
    $("picture").src = hosts.media + "/picture.svg";
    const news = new WebSocket(hosts.media.replace("https:", "wss:") + "/live");
    news.addEventListener("message", (m) => { $("news").textContent = m.data; });
    news.addEventListener("error", () => { $("news").textContent = "The news were not let through."; });
  }

  function tryHost(event) {
    event.preventDefault();
    $("tried").textContent = "…";
    fetch($("url").value, { mode: "no-cors" })
      .then(() => { $("tried").textContent = "It was let through."; }, () => { $("tried").textContent = "It was refused, or is not there."; });
  }

  function start() {
    media();
    $("try").addEventListener("submit", tryHost);
    if (!window.WindowsAzure) {
      say("The client library is not here yet: run \"npm install\" in the app's folder, then load this page again.");
      return;
    }
    client = new window.WindowsAzure.MobileServiceClient(hosts.backend);
    $("popup").addEventListener("click", signIn);
    $("redirect").addEventListener("click", signInHere);
    $("out").addEventListener("click", signOut);
    $("add").addEventListener("submit", add);
    $("sync").addEventListener("click", sync);
    $("ask").addEventListener("click", askTip);
    window.addEventListener("online", () => items && sync());
    show(false);
    const user = returned() || JSON.parse(window.sessionStorage.getItem("user"));
    if (user) welcome(user).catch(problem("The items cannot be read"));
  }

  document.addEventListener("deviceready", start, { once: true });
})();
