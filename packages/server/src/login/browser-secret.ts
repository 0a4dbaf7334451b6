import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../http/cookies.ts';
import { randomSecret } from '../kit/ids.ts';

const BROWSER_COOKIE = /^[A-Za-z0-9_-]{43}$/;

/** The secret of this browser that logins and forms are bound to; one cookie serves all its tabs. */
export function browserSecret(cookie: TenantCookie, http: FastifyRequest, reply: FastifyReply): string {
  const known = cookie.read(http);
  const browser = known && BROWSER_COOKIE.test(known) ? known : randomSecret();
  cookie.write(http, reply, browser);
  return browser;
}
