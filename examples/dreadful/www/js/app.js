var config = {
  server: "http://api.example.net/v1",
  apiKey: "AIzaSyA-0123456789abcdefghijklmnopqrstu",
  password: "s3cr3tPa55w0rd"
};

cordovaHTTP.acceptAllCerts(true, start, fail);
cordovaHTTP.useBasicAuth("admin", config.password);

function start() {
  var xhr = new XMLHttpRequest();
  xhr.open("GET", config.server + "/me?token=" + localStorage.getItem("token"), true, "admin", config.password);
  xhr.onload = function () { localStorage.setItem("token", xhr.responseText); };
  xhr.send();
}

function fail() {
  new WebSocket("ws://live.example.net/feed");
}
