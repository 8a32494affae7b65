// Where the app's hosts are. On a device they are those of config.xml. Under
// "cordon up" the pages come from the backend itself, at a port of this
// machine, and a stand-in has the picture and the news.
(function () {
  "use strict";
  const here = window.location;
  const development = here.hostname === "localhost" && here.port !== "" && !window.cordova;
  window.hosts = {
    development: development,
    backend: development ? here.origin : "https://todo.example.com",
    media: development ? here.protocol + "//demo." + here.host : "https://media.example.com",
  };
})();
