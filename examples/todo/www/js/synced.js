// The items through the client library: they are kept on this device, and sync
// with the backend when there is a network.
(function () {
  "use strict";

  const COLUMNS = { id: "string", text: "string", complete: "boolean", version: "string", updatedAt: "date", createdAt: "date", deleted: "boolean" };

  // The library's promises have then and done, and no catch: each is made an
  // ordinary one here, and nowhere else.
  function ordinary(promise) {
    return Promise.resolve(promise);
  }

  // openSynced resolves to the items of a user. tell is called with a sentence
  // when a change of theirs gave way to another one.
  window.openSynced = function (user, tell) {
    const client = new window.WindowsAzure.MobileServiceClient(window.hosts.backend);
    client.currentUser = user;
    const store = new window.LocalStore("todo/" + user.userId);
    const context = client.getSyncContext();
    const query = () => new window.WindowsAzure.Query("todoitem");

    // Of two changes to one item, the one that reached the backend first stays.
    function theirs(conflict) {
      const record = conflict.getServerRecord();
      tell("“" + (record || conflict.getClientRecord()).text + "” was changed elsewhere first: that version stays.");
      return record ? conflict.cancelAndUpdate(record) : conflict.cancelAndDiscard();
    }

    return ordinary(store.defineTable({ name: "todoitem", columnDefinitions: COLUMNS }))
      .then(() => ordinary(context.initialize(store)))
      .then(() => {
        const table = client.getSyncTable("todoitem");
        context.pushHandler = { onConflict: theirs, onError: (error) => error.isHandled };
        return {
          offline: true,
          list: () => ordinary(table.read(query().orderBy("text"))),
          add: (text) => ordinary(table.insert({ text: text, complete: false })),
          change: (item) => ordinary(table.update(item)),
          remove: (item) => ordinary(table.del(item)),
          // push sends what changed here, pull brings what changed elsewhere.
          sync: () => ordinary(context.push()).then(() => ordinary(table.pull(query(), "all"))),
        };
      });
  };
})();
