import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import type { World } from '../world.ts';

export type Shape = 'oauth' | 'management' | 'page';

/** A refusal in the shape of its route's family, that says nothing of our insides. */
export function expectShape(response: Response, shape: Shape): void {
  const said = `${response.statusCode} ${response.body.slice(0, 300)}`;
  expect(response.body, said).not.toMatch(/\n\s+at |node_modules|\/src\/|syntax error at|SyntaxError/);
  expect(response.headers['x-auth0-requestid'], said).toMatch(/^[0-9a-f]{20}$/);
  expect(response.headers['x-content-type-options'], said).toBe('nosniff');
  if (shape === 'page') {
    expect(response.headers['content-type'], said).toBe('text/html; charset=utf-8');
    expect(response.headers['content-security-policy'], said).toContain("default-src 'none'");
    return;
  }
  expect(response.headers['content-type'], said).toBe('application/json; charset=utf-8');
  const names = Object.keys(response.json());
  if (shape === 'oauth') expect(names, said).toEqual(['error', 'error_description']);
  else
    expect(
      names.filter((name) => name !== 'errorCode' && name !== 'attributes'),
      said,
    ).toEqual(['statusCode', 'error', 'message']);
}

/** What may not change by a request that is refused. */
export async function footprint(world: World) {
  const { rows } = await world.database.pool.query(
    `select (select count(*) from log_events)::int as events, (select count(*) from login_transactions)::int as logins,
      (select count(*) from clients)::int as clients, (select count(*) from users)::int as users,
      (select md5(string_agg(settings::text, '')) from tenants) as settings`,
  );
  return { ...rows[0], operatorLines: [...world.log] };
}
