// The page of an app that signs in with the client. Bundled with esbuild.
'use strict';
var query = new URLSearchParams(location.search);

// In a Cordova app the sign-in happens in an InAppBrowser, whose address the app
// sees. A window and the test, which reports its address, stand in for it.
if (query.get('cordova')) {
    window.cordova = { version: '9.0.0' };
    var open = window.open.bind(window), listeners = [];
    window.open = function (page) {
        // The client opens a data: page that goes on to the sign-in by script.
        var start = /unescape\('([^']*)'\)/.exec(decodeURIComponent(page))[1];
        var opened = open(unescape(start), '_blank', 'width=400,height=500');
        return { addEventListener: function (name, f) { if (name === 'loadstart') listeners.push(f); }, close: function () { opened.close(); } };
    };
    window.navigated = function (url) { listeners.forEach(function (f) { f({ url: url }); }); };
}

var WindowsAzure = require('azure-mobile-apps-client');
var client = window.client = new WindowsAzure.MobileServiceClient(query.get('url'));

function show(id, value) { document.getElementById(id).textContent = value; }

document.getElementById('in').onclick = function () {
    // The client's own promise has then and done alone.
    Promise.resolve(client.login(query.get('provider'))).then(function (user) {
        show('user', user.userId);
        return client.getTable('secret').insert({ text: 'mine' });
    }).then(function (row) {
        show('row', row.text);
        return client.invokeApi('echo', { method: 'GET' });
    }).then(function (answer) {
        show('api', JSON.parse(answer.responseText || '{}').method || JSON.stringify(answer.result));
        return fetch(query.get('url') + '/.auth/refresh', { headers: { 'X-ZUMO-AUTH': client.currentUser.mobileServiceAuthenticationToken } });
    }).then(function (r) { return r.json(); }).then(function (renewed) {
        client.currentUser.mobileServiceAuthenticationToken = renewed.authenticationToken;
        show('renewed', renewed.user.userId);
        return fetch(query.get('url') + '/.auth/me', { headers: { 'X-ZUMO-AUTH': renewed.authenticationToken } });
    }).then(function (r) { return r.json(); }).then(function (me) {
        show('me', me[0].provider_name + ' ' + me[0].user_id + ' ' + Boolean(me[0].refresh_token));
        show('end', 'done');
    }).catch(function (e) { show('end', 'failed: ' + (e && e.message || e)); });
};
