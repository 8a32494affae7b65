"use strict";

const api = "https://api.example.com/v2";

// The token lives in memory for the session; the key store keeps the rest.
let token = "";

async function tickets() {
  const answer = await fetch(`${api}/tickets`, { headers: { Authorization: "Bearer " + token } });
  if (!answer.ok) {
    throw new Error("tickets: " + answer.status);
  }
  return answer.json();
}

document.addEventListener("deviceready", () => tickets().then(show), false);

function show(list) {
  const main = document.getElementById("tickets");
  for (const ticket of list) {
    const picture = document.createElement("img");
    picture.src = "https://images.example.com/" + encodeURIComponent(ticket.picture);
    main.append(picture, ticket.title);
  }
}
