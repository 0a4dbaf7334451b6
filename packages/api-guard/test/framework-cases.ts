import { Agent, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ServiceAwayError } from '../src/verifiers/verify-token.ts';
import { ADA, guarded } from './guarded.ts';

/**
 * An application of some framework: GET /venues for whoever has a good token, answering `{user, permissions}`;
 * POST /venues for `write:venues` and `read:venues`; GET /unguarded demands a permission where nothing authenticates.
 */
export interface Application {
  ask(path: string, init: RequestInit): Promise<Response>;
  /** Where it listens, if it does. */
  readonly origin?: string;
  stop(): Promise<void>;
}

type Guarded = ReturnType<typeof guarded>;

/** What every framework does alike. */
export function describeFramework(title: string, start: (guard: Guarded['guard']) => Promise<Application>): void {
  describe(title, () => {
    async function ask(parts: Guarded, path = '/venues', init: RequestInit = withToken()) {
      const application = await start(parts.guard);
      try {
        const response = await application.ask(path, init);
        const text = await response.text();
        return {
          status: response.status,
          headers: response.headers,
          body: text.startsWith('{') ? JSON.parse(text) : text,
        };
      } finally {
        await application.stop();
      }
    }

    it('tells the handler who asks and what they may', async () => {
      const { status, body } = await ask(guarded());
      expect({ status, body }).toEqual({ status: 200, body: { user: ADA.user, permissions: ADA.permissions } });
    });

    it('answers 401 without a token, and names no error', async () => {
      const { status, headers, body } = await ask(guarded(), '/venues', {});
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="https://venues"');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(body.error).toBe('unauthorized');
    });

    it('answers 401 with a refused token', async () => {
      const { status, headers, body } = await ask(guarded({}, { active: false, reason: 'expired' }));
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toContain(
        'error="invalid_token", error_description="The access token expired"',
      );
      expect(body).toEqual({ error: 'invalid_token', error_description: 'The access token expired' });
    });

    it('takes no token out of two Authorization headers, and none from one request for the next', async () => {
      const parts = guarded({}, async () => ADA);
      const application = await start(parts.guard);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        const { origin } = application;
        if (origin === undefined) return;
        const statuses: number[] = [];
        for (const headers of [
          ['authorization', 'Bearer at'],
          [],
          ['authorization', 'Bearer at', 'Authorization', 'Bearer other'],
          ['Authorization', 'Bearer at', 'authorization', 'Bearer at'],
          ['authorization', 'Basic YTpi', 'authorization', 'Bearer at'],
          ['authorization', 'Bearer at, Bearer other'],
          ['authorization', 'bearer at'],
        ])
          statuses.push(
            await statusOf(`${origin}/venues`, { agent, headers: ['host', new URL(origin).host, ...headers] }),
          );
        expect(statuses).toEqual([200, 401, 401, 401, 401, 401, 200]);
      } finally {
        agent.destroy();
        await application.stop();
      }
    });

    it('takes no token from the query', async () => {
      expect((await ask(guarded(), '/venues?access_token=at', {})).status).toBe(401);
    });

    it('answers 403 where a permission is missing, and says which', async () => {
      const { status, headers, body } = await ask(guarded(), '/venues', { ...withToken(), method: 'POST' });
      expect(status).toBe(403);
      expect(headers.get('www-authenticate')).toBe(
        'Bearer error="insufficient_scope", error_description="The access token lacks a permission: ' +
          'write:venues read:venues", scope="write:venues read:venues"',
      );
      expect(body.error).toBe('insufficient_scope');
    });

    it('lets who has all permissions through', async () => {
      const may = guarded({}, { ...ADA, permissions: ['read:venues', 'write:venues'] });
      expect((await ask(may, '/venues', { ...withToken(), method: 'POST' })).status).toBe(200);
    });

    it('answers 503 with Retry-After while nobody can check the token', async () => {
      const away = guarded({}, async () => {
        throw new ServiceAwayError('It is down.', { retryAfterSeconds: 9 });
      });
      const { status, headers, body } = await ask(away);
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('9');
      expect(headers.get('www-authenticate')).toBeNull();
      expect(body.error).toBe('temporarily_unavailable');
    });

    it('fails where a permission is demanded and nothing authenticates', async () => {
      expect((await ask(guarded(), '/unguarded')).status).toBe(500);
    });
  });
}

function statusOf(url: string, options: { readonly agent: Agent; readonly headers: string[] }): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    })
      .once('error', reject)
      .end();
  });
}

function withToken(): RequestInit {
  return { headers: { authorization: 'Bearer at' } };
}
