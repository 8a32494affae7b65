// The todo app: sign in, add items, go on without a network, sync.
(function () {
  "use strict";

  const $ = (id) => document.getElementById(id);
  let user;
  let items; // of the user, once somebody is signed in

  function say(text) {
    $("message").textContent = text;
  }

  // problem says what did not work. A sign-in that is over begins anew.
  function problem(what) {
    return (e) => {
      const status = e && (e.status || (e.request && e.request.status));
      if (status === 401) {
        signOut("Your sign-in has ended. Please sign in again.");
        return;
      }
      const text = (e && e.message) || String(e);
      say(what + ": " + text.replace(/\.$/, "") + ".");
    };
  }

  function show() {
    $("popup").hidden = $("redirect").hidden = Boolean(user);
    $("out").hidden = !user;
    $("items").hidden = !items; // they open a moment later
    $("who").textContent = user ? "Signed in as " + user.userId : "Nobody is signed in.";
  }

  function welcome(signedIn) {
    user = signedIn;
    window.signIn.remember(user);
    say("");
    show();
    const synced = Boolean(window.WindowsAzure);
    $("plain").hidden = synced;
    $("sync").hidden = !synced;
    const open = synced ? window.openSynced(user, say) : window.openOnline(user);
    return open.then((opened) => {
      if (user !== signedIn) return null; // signed out meanwhile
      items = opened;
      show();
      return list().then(sync);
    }).catch(problem("The items cannot be read"));
  }

  function signOut(text) {
    window.signIn.forget();
    user = items = null;
    $("list").replaceChildren();
    $("state").textContent = $("tip").textContent = "";
    show();
    say(text || "");
  }

  function list() {
    return items.list().then((rows) => {
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
    gone.className = "quiet";
    gone.textContent = "Remove";
    gone.setAttribute("aria-label", "Remove " + item.text);
    gone.addEventListener("click", () => remove(item));
    li.classList.toggle("done", box.checked);
    li.append(box, label, gone);
    return li;
  }

  // after shows what a change made of the list, and takes it to the backend.
  function after(changed, what) {
    $("state").textContent = items.offline ? "Changed on this device." : "";
    return changed.then(list).then(sync).catch(problem(what));
  }

  function add(event) {
    event.preventDefault();
    const text = $("text").value.trim();
    if (!text) return;
    after(items.add(text).then(() => { $("text").value = ""; }), "The item was not added");
  }

  function change(item) {
    after(items.change(item), "The item was not changed");
  }

  function remove(item) {
    after(items.remove(item), "The item was not removed");
  }

  function sync() {
    if (!items.offline) return Promise.resolve();
    if (!navigator.onLine) {
      $("state").textContent = "Without a network; changes wait on this device.";
      return Promise.resolve();
    }
    $("state").textContent = "Syncing…";
    return items.sync().then(list).then(() => {
      $("state").textContent = "In step with the backend.";
    }, (e) => {
      $("state").textContent = "Not in step with the backend.";
      problem("The items were not synced")(e);
    });
  }

  function askTip() {
    window.askBackend(user, "GET", "/api/tip").then((answer) => {
      $("tip").textContent = answer.tip;
    }).catch(problem("There is no tip"));
  }

  function media() {
    $("picture").addEventListener("error", () => { $("pictureState").textContent = "The picture was not let through."; });
    $("picture").src = window.hosts.media + "/picture.svg";
    const news = new WebSocket(window.hosts.media.replace(/^http/, "ws") + "/live");
    news.addEventListener("message", (m) => { $("news").textContent = m.data; });
    news.addEventListener("error", () => { $("news").textContent = "The news were not let through."; });
  }

  function tryHost(event) {
    event.preventDefault();
    $("tried").textContent = "…";
    fetch($("url").value, { mode: "no-cors" }).then(
      () => { $("tried").textContent = "It was let through."; },
      () => { $("tried").textContent = "It was refused, or is not there. The console's page Traffic says which, and why."; },
    );
  }

  function start() {
    media();
    $("try").addEventListener("submit", tryHost);
    $("popup").addEventListener("click", () => {
      say("");
      window.signIn.byPopup().then(welcome).catch((e) => say(e.message));
    });
    $("redirect").addEventListener("click", window.signIn.onThisPage);
    $("out").addEventListener("click", () => signOut());
    $("add").addEventListener("submit", add);
    $("sync").addEventListener("click", () => sync());
    $("ask").addEventListener("click", askTip);
    addEventListener("online", () => items && sync());
    show();
    try {
      const signedIn = window.signIn.returned() || window.signIn.remembered();
      if (signedIn) welcome(signedIn);
    } catch (e) {
      say(e.message);
    }
  }

  document.addEventListener("deviceready", start, { once: true });
})();
