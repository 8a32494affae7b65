// Asks an origin through the gateway as Node's own client does, and prints what
// came of it, an object a line.
import http from 'node:http';
import tls from 'node:tls';
import fs from 'node:fs';

const [way, proxy, target, authority] = process.argv.slice(2);
const [host, port] = proxy.split(':');

// connect opens a tunnel, and TLS in it where it is inspected.
const connect = () => new Promise((resolve, reject) => {
  const r = http.request({ host, port, method: 'CONNECT', path: target, agent: false });
  r.on('error', reject);
  r.on('connect', (answer, socket) => {
    if (answer.statusCode !== 200) return reject(new Error(`CONNECT: ${answer.statusCode}`));
    if (way !== 'inspected') return resolve(socket);
    const secure = tls.connect({ socket, servername: target.split(':')[0], ca: fs.readFileSync(authority) });
    secure.on('secureConnect', () => resolve(secure));
    secure.on('error', reject);
  });
  r.end();
});

const request = async (method, path, headers = {}) => {
  const all = { Host: target, ...headers };
  if (way === 'absolute') return http.request({ host, port, method, path: `http://${target}${path}`, headers: all, agent: false });
  const socket = await connect();
  return http.request({ method, path, headers: all, createConnection: () => socket });
};

const once = (emitter, event) => new Promise((resolve, reject) => {
  emitter.once(event, (...args) => resolve(args));
  emitter.once('error', reject);
});
const text = async (response) => { let s = ''; for await (const piece of response) s += piece; return s; };
const say = (what) => console.log(JSON.stringify(what));
const release = async () => { const r = await request('GET', '/release'); r.end(); await text((await once(r, 'response'))[0]); };

for (const path of ['/events', '/poll']) {
  const r = await request('GET', path);
  r.end();
  let answer = once(r, 'response');
  if (path === '/events') answer = await answer; // the head, before anything of the body is there
  await release();
  say({ path, body: await text((await answer)[0]) });
}
{
  const r = await request('POST', '/exchange', { TE: 'trailers', 'Transfer-Encoding': 'chunked' });
  let hints = 0;
  r.on('information', (info) => { if (info.statusCode === 103) hints++; });
  r.write('one');
  const [answer] = await once(r, 'response');
  r.end('two');
  say({ path: '/exchange', te: answer.headers['x-te'], hints, body: await text(answer), trailers: answer.trailers });
}
{
  const r = await request('GET', '/ws', { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'eA==' });
  r.end();
  const [answer, socket] = await once(r, 'upgrade');
  socket.write('ping');
  say({ path: '/ws', status: answer.statusCode, echo: String((await once(socket, 'data'))[0]) });
  socket.destroy();
}
{
  const r = await request('POST', '/refuse', { 'Content-Length': 1 << 24 });
  r.write(Buffer.alloc(1 << 20));
  const [answer] = await once(r, 'response');
  say({ path: '/refuse', status: answer.statusCode, body: await text(answer) });
  r.on('error', () => {});
  r.destroy();
}
