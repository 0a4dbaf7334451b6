import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import type { TestClient } from './protocol.ts';
import type { World } from './world.ts';

export const WEB_CALLBACK = 'https://app.example.com/callback';

/** GET /authorize without a browser, for a web application at WEB_CALLBACK; `extra` is added to the query as it is. */
export function askAuthorize(
  world: World,
  { client_id }: TestClient,
  parameters: Readonly<Record<string, string>>,
  extra = '',
): Promise<Response> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id,
    redirect_uri: WEB_CALLBACK,
    scope: 'openid',
    state: 'st&te=1 ü',
    ...parameters,
  });
  return world.request({ path: `/authorize?${query}${extra}` });
}

/** Parameters of a redirect to the application. */
export function redirectedTo({ headers }: Pick<Response, 'headers'>, to = WEB_CALLBACK): Record<string, string> {
  expect(String(headers.location)).toMatch(new RegExp(`^${to.replace(/[.*?]/g, '\\$&')}`));
  return Object.fromEntries(new URL(String(headers.location)).searchParams);
}
