// The client under the name that its own suite expects.
'use strict';
window.WindowsAzure = require('azure-mobile-apps-client');
