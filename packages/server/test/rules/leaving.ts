import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import { decodeJwt, eventsOf, redeem } from '../protocol.ts';
import type { Visitor } from '../visitor.ts';
import type { World } from '../world.ts';
import { rule } from './rules.ts';

export const SEEN = 'https://example.com/seen';
export const PAGE = 'https://pages.example.com/ask';
export const MINUTE = 60_000;
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const ASK = rule(
  `if (context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}?a=1&b=x%20y#part' };`,
);
export const SAY = rule(
  `context.idToken['${SEEN}'] = [context.protocol, context.original_protocol || null, context.request.query, context.request.body];`,
);

/** From /authorize over the login page to the page that a rule names. */
export async function leave(
  world: World,
  visitor: Visitor = world.visitor(),
  parameters: Record<string, string> = {},
  user: { readonly email: string; readonly password: string } = world.user,
) {
  const begun = await visitor.authorize(parameters);
  const { email: username, password } = user;
  const response = begun.response.headers.location
    ? begun.response
    : await visitor.follow(await visitor.submit(begun.response, { username, password }));
  return { visitor, verifier: begun.verifier, response, state: stateOf(response) };
}

export const locationOf = ({ headers }: Response) => String(headers.location);
export const stateOf = (response: Response) => new URL(locationOf(response)).searchParams.get('state') ?? '';
export const codeOf = (response: Response) => new URL(locationOf(response)).searchParams.get('code') ?? '';
export const back = (visitor: Visitor, state: string, more = '') => visitor.get(`/continue?state=${state}${more}`);

export async function claimsOf(world: World, response: Response, verifier: string) {
  return decodeJwt((await redeem(world, { code: codeOf(response), verifier })).json().id_token).claims;
}

export async function expectRefused(world: World, asked: () => Promise<Response>): Promise<void> {
  const events = await eventsOf(world, async () => {
    const response = await asked();
    expect([response.statusCode, response.headers.location]).toEqual([400, undefined]);
    expect(response.body).toContain('invalid_request');
  });
  expect(events).toMatchObject([{ type: 'f', details: { error: { oauthError: 'invalid_request' } } }]);
}
