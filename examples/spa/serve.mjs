// Serves the page beside it on http://localhost:5555 for the tenant of a first start: `node examples/spa/serve.mjs`.
// Only the public half of first-run.json leaves this process.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const port = Number(process.env.EXAMPLE_PORT ?? 5555);
const firstRunFile = join(process.env.GATEWRIGHT_DATA_DIR ?? 'data', 'first-run.json');
const sdkFolder = join(createRequire(import.meta.url).resolve('@auth0/auth0-spa-js/package.json'), '..', 'dist');

const files = {
  '/': async () => ['text/html; charset=utf-8', await readFile(new URL('index.html', import.meta.url))],
  '/page.js': async () => ['text/javascript; charset=utf-8', await readFile(new URL('page.js', import.meta.url))],
  '/auth0-spa-js.js': async () => [
    'text/javascript; charset=utf-8',
    await readFile(join(sdkFolder, 'auth0-spa-js.production.js')),
  ],
  '/settings.json': async () => {
    const { http_origin: domain, spa_client, api, user } = JSON.parse(await readFile(firstRunFile, 'utf8'));
    const settings = {
      domain,
      clientId: spa_client.client_id,
      audience: api.identifier,
      scopes: api.scopes,
      user: user.email,
    };
    return ['application/json', JSON.stringify(settings)];
  },
};

const server = createServer(async ({ url = '/' }, response) => {
  const file = files[url.split('?', 1)[0]];
  try {
    const [type, body] = file ? await file() : ['text/plain', 'Not found.'];
    response.writeHead(file ? 200 : 404, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\nIs Gatewright started?`);
  }
});
server.listen(port, 'localhost', () => console.log(`Open http://localhost:${server.address().port}`));
