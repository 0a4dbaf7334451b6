import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type createKeptRequests, summaryOf } from './kept-requests.ts';
import type { LiveList } from './live-list.ts';

interface Parts {
  readonly kept: ReturnType<typeof createKeptRequests>;
  readonly live: LiveList;
}

export const PAGE_PATH = '/_bin';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/_bin': ['page.html', 'text/html; charset=utf-8'],
  '/_bin/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/_bin/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/_bin/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** The page of the inspector, and what it asks for. */
export function answerPage(request: IncomingMessage, response: ServerResponse, { kept, live }: Parts): void {
  const { method, url = '' } = request;
  const number = /^\/_bin\/requests\/(\d{1,12})$/.exec(url)?.[1];
  const file = Object.hasOwn(FILES, url) ? FILES[url] : undefined;
  if (!isOurs(request)) end(response, 403, 'The page is for localhost.');
  else if (method === 'POST' && url === '/_bin/clear') clear();
  else if (method !== 'GET') end(response, 405, 'Not here.');
  else if (url === '/') response.writeHead(302, { ...HEADERS, location: PAGE_PATH }).end();
  else if (url === '/_bin/events') live.add(response, kept.all().map(summaryOf));
  else if (number !== undefined) details(Number(number));
  else if (!file) end(response, 404, 'Not here.');
  else end(response, 200, readFileSync(new URL(`./page/${file[0]}`, import.meta.url), 'utf8'), file[1]);

  function clear(): void {
    // A page elsewhere may send this, too; its origin tells.
    if (request.headers.origin !== `http://${request.headers.host}`) {
      end(response, 403, 'Only the page itself may do that.');
      return;
    }
    kept.clear();
    live.cleared();
    end(response, 204);
  }

  function details(wanted: number): void {
    const found = kept.find(wanted);
    if (found) end(response, 200, JSON.stringify(found), 'application/json');
    else end(response, 404, 'It is gone.');
  }
}

/** A name that somebody has let lead here (DNS rebinding) reads nothing: the page answers at the address that it listens on. */
function isOurs({ headers, socket }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const isLocal =
    host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
  return isLocal || host === socket.localAddress?.replace(/^::ffff:/, '') || host === `[${socket.localAddress}]`;
}

function end(response: ServerResponse, status: number, body = '', type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type }).end(body);
}
