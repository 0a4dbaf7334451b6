import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';

interface Settings {
  /** What the application gives to auth0-spa-js: host and port for https, a whole origin for http. */
  readonly domain: string;
  readonly clientId: string;
  readonly audience: string;
  readonly cacheLocation?: 'localstorage' | 'memory';
  /** Without them the library renews in a hidden iframe (prompt=none, web_message). */
  readonly useRefreshTokens?: boolean;
  /** Where the API behind the page looks up keys, and the issuer that it insists on. */
  readonly issuerOrigin: string;
  /** A script that makes the whole page, in place of the page on auth0-spa-js. */
  readonly bundle?: string;
  /** Of that script: it finds them in /settings.json with the others. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface SpaApplication {
  readonly origin: string;
  close(): Promise<void>;
}

const LIBRARY = createRequire(import.meta.url).resolve('@auth0/auth0-spa-js');
const PAGE = `<!doctype html><title>Application</title><link rel="icon" href="data:,">
<p id="who"></p><button id="log-in">Log in</button><button id="pop-up">Log in with a popup</button><button id="log-out">Log out</button>
<script src="/auth0-spa-js.js"></script><script src="/page.js"></script>`;
const BUNDLED_PAGE = `<!doctype html><title>Application</title><link rel="icon" href="data:,">
<div id="root"></div><script type="module" src="/bundle.js"></script>`;

/** A customer's application at http://localhost: a page with auth0-spa-js as published, and an API that verifies tokens. */
export async function startSpaApplication({
  domain,
  clientId,
  audience,
  cacheLocation = 'localstorage',
  useRefreshTokens = true,
  issuerOrigin,
  bundle,
  settings = {},
}: Settings): Promise<SpaApplication> {
  const files = new Map<string, readonly [type: string, content: string]>([
    ['/', ['text/html; charset=utf-8', bundle === undefined ? PAGE : BUNDLED_PAGE]],
    ['/bundle.js', ['text/javascript', bundle ?? '']],
    ['/auth0-spa-js.js', ['text/javascript', libraryFile()]],
    ['/page.js', ['text/javascript', readFileSync(new URL('./spa-page.browser.js', import.meta.url), 'utf8')]],
    [
      '/settings.json',
      [
        'application/json',
        JSON.stringify({ domain, clientId, audience, cacheLocation, useRefreshTokens, ...settings }),
      ],
    ],
  ]);
  const keys = createRemoteJWKSet(new URL(`${issuerOrigin}/.well-known/jwks.json`));
  const verify = (request: IncomingMessage): Promise<JWTPayload | { refused: string }> =>
    jwtVerify(request.headers.authorization?.replace('Bearer ', '') ?? '', keys, {
      audience,
      issuer: `${issuerOrigin}/`,
      algorithms: ['RS256'],
    }).then(
      ({ payload }) => payload,
      (error: Error) => ({ refused: error.message }),
    );
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://this.invalid');
    if (pathname === '/items')
      return response.setHeader('content-type', 'application/json').end(JSON.stringify(await verify(request)));
    const file = files.get(pathname);
    if (!file) return response.writeHead(404).end();
    response.setHeader('content-type', file[0]).end(file[1]);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${port}`,
    async close() {
      server.close().closeAllConnections();
    },
  };
}

/** The file that the package offers to a script tag: the one that defines the global `auth0`. */
function libraryFile(): string {
  const folder = LIBRARY.slice(0, LIBRARY.lastIndexOf('/auth0-spa-js/') + '/auth0-spa-js/'.length);
  return readFileSync(`${folder}dist/auth0-spa-js.production.js`, 'utf8');
}
