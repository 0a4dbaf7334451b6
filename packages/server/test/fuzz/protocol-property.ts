import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import type { FuzzWorld } from './fuzz-world.ts';
import type { LiveValues } from './live-values.ts';
import type { DraftRequest } from './protocol-requests.ts';

const DATABASE = /^\/(?:dbconnections|usernamepassword)\//;
const PAGES = /^\/(?:continue|authorize|u\/|activate|v2\/logout|oidc\/logout|login\/callback)/;
/** Where answers may send a browser: the tenant itself and what its applications registered. */
const ALLOWED = new Set(['https://localhost:3443', 'http://localhost:5555']);

/** A refusal changes nothing that was there before the request, and looks as its family does; nobody is sent to strangers. */
export async function checkProtocolRequest(fuzz: FuzzWorld, live: LiveValues, draft: DraftRequest): Promise<string> {
  const { response, changed } = await fuzz.send(await live.requestOf(draft));
  const { location } = response.headers;
  if (location !== undefined)
    expect([location, ALLOWED]).toEqual([expect.toSatisfy((to: string) => ALLOWED.has(originOf(to))), ALLOWED]);
  if (!isRefusal(response)) return `${response.statusCode}`;
  expect([draft.path, changed.filter((change) => !isPartOfRefusal(draft.path, change))]).toEqual([draft.path, []]);
  if (response.statusCode >= 400) checkFamily(draft.path, response);
  return `${response.statusCode}`;
}

function isRefusal({ statusCode, headers, body }: Response): boolean {
  if (statusCode >= 400) return true;
  const { location } = headers;
  if (typeof location === 'string') return /[?&#]error=/.test(location);
  return /name="error"|"error":/.test(body);
}

/**
 * A pushed request is used up by whoever brings it (RFC 9126 section 4), a refused login is over, a code that comes a second
 * time ends what the first gave (RFC 6749 section 4.1.2), and a device's poll counts (RFC 8628 section 3.5).
 */
function isPartOfRefusal(path: string, change: string): boolean {
  if (path === '/oauth/token') return change === 'token_grants update' || change.startsWith('device_codes ');
  if (change === 'pushed_requests delete') return path === '/authorize';
  return change === 'login_transactions delete' || change === 'login_transactions update';
}

function checkFamily(path: string, { statusCode, headers, body }: Response): void {
  // Auth0's refusal of a token is these twelve bytes.
  if (path === '/userinfo' && body === 'Unauthorized') return;
  const type = PAGES.test(path) ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  expect([path, statusCode, headers['content-type']]).toEqual([path, statusCode, type]);
  if (PAGES.test(path)) return;
  const answer = JSON.parse(body);
  // Auth0 refuses a request to /dbconnections without its parameters in a shape of its own: `{"error":"… is required"}`.
  const isTold = typeof answer.error === 'string' || (DATABASE.test(path) && typeof answer.code === 'string');
  expect([path, answer, isTold]).toEqual([path, answer, true]);
  if (typeof answer.error_description === 'string') expect(answer.error_description).toMatch(/^[\x20-\x7e]*$/);
}

function originOf(location: string): string {
  return new URL(location, 'https://localhost:3443').origin;
}
