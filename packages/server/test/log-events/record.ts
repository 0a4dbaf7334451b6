import { expect } from 'vitest';
import type { LogRecord } from '../protocol.ts';
import type { World } from '../world.ts';
import { PHONE } from './family.ts';

/** The whole record of an event, no member more and none less: what all have, who asked, and what its code has besides. */
export function wholeRecord(
  { log_id }: LogRecord,
  code: string,
  { has, isOfServer }: { readonly has: Readonly<Record<string, unknown>>; readonly isOfServer: boolean },
): Record<string, unknown> {
  return {
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    type: code,
    description: '',
    user_id: '',
    log_id: expect.stringMatching(/^900\d{53}$/),
    _id: log_id,
    isMobile: !isOfServer,
    ...(!isOfServer && {
      ip: PHONE.ip,
      client_ip: '127.0.0.1',
      user_agent: 'Mobile Safari 17.1.0 / iOS 17.1.0',
      auth0_client: PHONE.auth0Client,
      hostname: 'localhost:3443',
    }),
    ...has,
  };
}

export const spa = ({ spa_client }: World) => ({
  client_id: spa_client.client_id,
  client_name: 'Example application',
});
export const backend = ({ password_client }: World) => ({
  client_id: password_client.client_id,
  client_name: 'Password client',
});
export const operator = ({ management }: World) => ({
  client_id: management.client_id,
  client_name: expect.any(String),
});

export const directory = ({ connection }: Pick<World, 'connection'>) => ({
  connection,
  connection_id: expect.stringMatching(/^con_\w{16}$/),
  strategy: 'auth0',
  strategy_type: 'database',
});

/** The user of the first run. */
export const ada = ({ user }: World) => ({ user_id: expect.stringMatching(/^auth0\|/), user_name: user.email });

/** Some members of `details`: others may be there. */
export const details = (some: Readonly<Record<string, unknown>>) => ({ details: expect.objectContaining(some) });

export const failed = (message: string, oauthError?: string) =>
  details({ error: { message, ...(oauthError !== undefined && { oauthError }) } });
