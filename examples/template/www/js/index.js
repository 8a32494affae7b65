document.addEventListener("deviceready", function () {
  document.getElementById("greeting").textContent = "Ready";
}, false);
