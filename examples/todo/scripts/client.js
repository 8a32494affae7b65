// Puts the client library, which npm has installed, into one file for the page:
// npm run build.
"use strict";
const fs = require("fs");
const path = require("path");
const browserify = require("browserify");

const out = path.join(__dirname, "..", "www", "lib");
fs.mkdirSync(out, { recursive: true });
const file = path.join(out, "azure-mobile-apps-client.js");
browserify(require.resolve("azure-mobile-apps-client"), { standalone: "WindowsAzure" }).bundle((err, bundle) => {
  if (err) throw err;
  fs.writeFileSync(file, bundle);
  console.log("wrote " + path.relative(process.cwd(), file));
});
