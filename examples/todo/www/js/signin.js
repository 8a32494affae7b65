// Signing in, and what is kept of it: as long as this window, and nowhere that a
// server sees.
(function () {
  "use strict";

  const PROVIDER = "google";
  const KEY = "user";
  const BEGUN = "signing in";

  function address(parameters) {
    return window.hosts.backend + "/.auth/login/" + PROVIDER + "?" + new URLSearchParams(Object.assign({ session_mode: "token" }, parameters));
  }

  function userOf(result) {
    return { userId: result.user.userId, mobileServiceAuthenticationToken: result.authenticationToken };
  }

  // byPopup resolves to the user. The sign-in page posts its result to the origin
  // that the address names, and to no other.
  function byPopup() {
    return new Promise((resolve, reject) => {
      const popup = window.open(address({ completion_type: "postMessage", completion_origin: window.location.origin }), "_blank", "width=480,height=640");
      if (!popup) {
        reject(new Error("The browser did not open a window. Sign in on this page instead."));
        return;
      }
      const end = (done, value) => {
        clearInterval(watch);
        removeEventListener("message", hear);
        popup.close();
        done(value);
      };
      const hear = (event) => {
        if (event.source !== popup || event.origin !== new URL(window.hosts.backend).origin) return;
        const said = typeof event.data === "string" ? JSON.parse(event.data) : event.data;
        if (said.type !== "LoginCompleted") return;
        if (said.oauth) end(resolve, userOf(said.oauth));
        else end(reject, new Error("Sign-in failed: " + said.error));
      };
      addEventListener("message", hear);
      // No event tells that a window of another origin was closed.
      const watch = setInterval(() => {
        if (popup.closed) end(reject, new Error("The sign-in window was closed."));
      }, 250);
    });
  }

  // onThisPage leaves the page and comes back with the token in the fragment.
  function onThisPage() {
    window.sessionStorage.setItem(BEGUN, "yes");
    window.location.href = address({ post_login_redirect_uri: window.location.href.split("#")[0] });
  }

  // returned is the user that a redirect brought, if there was one. The fragment
  // goes from the address at once. Without a sign-in that was begun in this window
  // it counts for nothing: anybody can make a link that would sign the user in as
  // somebody else.
  function returned() {
    const fragment = window.location.hash.slice(1);
    if (!fragment.startsWith("token=") && !fragment.startsWith("error=")) return null;
    window.history.replaceState(null, "", window.location.pathname);
    const begun = window.sessionStorage.getItem(BEGUN);
    window.sessionStorage.removeItem(BEGUN);
    if (!begun) return null;
    try {
      const text = decodeURIComponent(fragment.slice(6));
      if (fragment.startsWith("error=")) throw new Error(text);
      return userOf(JSON.parse(text));
    } catch (error) {
      throw new Error("Sign-in failed: " + error.message);
    }
  }

  window.signIn = {
    byPopup: byPopup,
    onThisPage: onThisPage,
    returned: returned,
    remembered: () => JSON.parse(window.sessionStorage.getItem(KEY)),
    remember: (user) => window.sessionStorage.setItem(KEY, JSON.stringify(user)),
    forget: () => window.sessionStorage.removeItem(KEY),
  };
})();
