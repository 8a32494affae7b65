// Runs the independent OpenID provider (npm oidc-provider) on loopback:
// node provider.mjs MODULES REDIRECT_URI. Its pages are its own development
// pages. It says its issuer on standard output and ends with standard input.
import path from 'node:path';
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, redirect] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(path.join(modules, 'oidc-provider/lib/index.js')));

const server = http.createServer((request, response) => handle(request, response));
let handle;
server.listen(0, '127.0.0.1', () => {
    const issuer = `http://localhost:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [{ client_id: 'cordon', client_secret: 'provider-secret', redirect_uris: [redirect], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }],
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, name: `The ${id}` }) }),
        claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
        conformIdTokenClaims: false,
        cookies: { keys: ['a test'] },
        pkce: { required: () => true },
        ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Grant: 3600, Session: 3600, Interaction: 600, RefreshToken: 3600 },
        issueRefreshToken: () => true,
    });
    handle = provider.callback();
    console.log(issuer);
});
process.stdin.on('end', () => process.exit(0)).resume();
