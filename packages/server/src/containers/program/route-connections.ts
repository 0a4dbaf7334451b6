import type { Agent } from 'node:http';
import { createRequire } from 'node:module';
import type { NetConnectOpts, Socket } from 'node:net';
import { noteAsked } from './asked-targets.ts';
import { guardEmits } from './guard-emits.ts';
import { routeOf } from './tunnel.ts';
import { connectThroughTunnel } from './tunnel-socket.ts';

const load = createRequire(import.meta.url);
/** A third of a container's start goes into these: they are loaded, and changed, when code first wants one. */
const NETWORK = /^(?:node:)?(?:net|tls|https?|http2|_http_\w+)$/;

let isRouted = false;

/** Before the first module that may connect is loaded: connections to the tenant's own hosts take the tunnel. */
export function routeConnections(): void {
  const module: { _load: (...items: unknown[]) => unknown } = load('node:module');
  const original = module._load;
  module._load = function (this: unknown, ...items: unknown[]) {
    if (!isRouted && NETWORK.test(String(items[0]))) route();
    return original.apply(this, items);
  };
  routeFetch();
}

function route(): void {
  isRouted = true;
  const net: typeof import('node:net') = load('node:net');
  const http: typeof import('node:http') = load('node:http');
  const https: typeof import('node:https') = load('node:https');
  const tls: typeof import('node:tls') = load('node:tls');
  routeSockets(net.Socket.prototype);
  routeTls(net, tls);
  routeAgent(http.Agent.prototype, false, net, tls);
  routeAgent(https.Agent.prototype, true, net, tls);
}

function routeSockets(prototype: Socket): void {
  const original: unknown = prototype.connect;
  Reflect.set(prototype, 'connect', function (this: Socket, ...items: unknown[]) {
    guardEmits(this);
    const [first, second] = Array.isArray(items[0]) ? items[0] : items;
    const options = typeof first === 'object' && first !== null ? first : { port: first, host: second };
    const { host, port } = targetOf(options);
    if (!routeOf(host, port)) {
      noteAsked(host, port);
      return Reflect.apply(original as (...all: unknown[]) => unknown, this, items);
    }
    const done = (Array.isArray(items[0]) ? items[0] : items).findLast((item) => typeof item === 'function');
    if (done) this.once('connect', done);
    return connectThroughTunnel(this, host, port);
  });
}

/** `tls.connect({ host, port })`; with a socket of its own it is that socket that is routed. */
function routeTls(net: typeof import('node:net'), tls: typeof import('node:tls')): void {
  const connect: unknown = tls.connect;
  const original = (...items: unknown[]): unknown =>
    Reflect.apply(connect as (...all: unknown[]) => unknown, tls, items);
  Reflect.set(tls, 'connect', (...items: unknown[]) => {
    const [first, second, third] = items;
    const options =
      typeof first === 'object' && first !== null
        ? first
        : { port: first, ...(typeof second === 'object' ? second : { host: second, ...Object(third) }) };
    const { host, port } = targetOf(options);
    const route = 'socket' in options && options.socket ? undefined : routeOf(host, port);
    if (!route) return original(...items);
    const done = items.findLast((item) => typeof item === 'function');
    const socket = connectThroughTunnel(new net.Socket(), host, port);
    if (route === 'intranet') return original({ servername: host, ...options, socket }, ...(done ? [done] : []));
    socket.once('connect', () => socket.emit('secureConnect'));
    if (typeof done === 'function') socket.once('secureConnect', () => done());
    return Object.assign(socket, { encrypted: true, authorized: true });
  });
}

interface Connecting {
  createConnection(options: NetConnectOpts, callback?: unknown): unknown;
}

/** To the tenant's own API without TLS: the bytes never leave this machine. */
function routeAgent(
  prototype: Agent,
  isSecure: boolean,
  net: typeof import('node:net'),
  tls: typeof import('node:tls'),
): void {
  const agent = prototype as unknown as Connecting;
  const original = agent.createConnection;
  agent.createConnection = function (this: unknown, options, callback) {
    const { host, port } = targetOf(options);
    const route = routeOf(host, port);
    if (!route) return original.call(this, options, callback);
    const socket = connectThroughTunnel(new net.Socket(), host, port);
    if (!isSecure) return socket;
    if (route === 'api') return Object.assign(socket, { encrypted: true, authorized: true });
    return tls.connect({ ...options, socket, servername: host });
  };
}

function targetOf(options: object): { host: string; port: string | number } {
  const read = (name: string): unknown => Reflect.get(options, name);
  const port = read('port');
  return {
    host: String(read('host') ?? read('hostname') ?? 'localhost').replace(/^\[|\]$/g, ''),
    port: typeof port === 'number' || typeof port === 'string' ? port : '',
  };
}

function routeFetch(): void {
  const original = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { protocol, hostname, port } = new URL(request.url);
    const wellKnown = protocol === 'https:' ? 443 : 80;
    if (!routeOf(hostname.replace(/^\[|\]$/g, ''), port || wellKnown)) return original(request);
    return fetchThroughAgent(request, protocol === 'https:');
  };
}

/** By Node's own client, whose connections are routed. */
async function fetchThroughAgent(request: Request, isSecure: boolean): Promise<Response> {
  route();
  const { request: start }: typeof import('node:http') = load(isSecure ? 'node:https' : 'node:http');
  const body = Buffer.from(await request.arrayBuffer());
  const { method, url, signal } = request;
  return new Promise((resolve, reject) => {
    const outgoing = start(url, { method, signal, headers: Object.fromEntries(request.headers) }, (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on('error', reject);
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 502;
        const headers = Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
          value === undefined ? [] : [[name, String(value)]],
        );
        const hasBody = status !== 204 && status !== 304;
        resolve(new Response(hasBody ? Buffer.concat(pieces) : null, { status, headers }));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
