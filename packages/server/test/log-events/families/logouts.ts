import { expect } from 'vitest';
import { startListeningApplication } from '../../listening-application.ts';
import { family, fromPhone } from '../family.ts';
import { details } from '../record.ts';

const FOREIGN = 'https://evil.example/';

async function start() {
  const application = await startListeningApplication();
  const world = { ...fromPhone(application.world), stop: () => application.stop() };
  const client = await application.listening();
  const logIn = () => application.logIn(client, world.visitor());
  return {
    world,
    application,
    listener: { client_id: client.client_id, client_name: 'Listens' },
    logIn,
    login: await logIn(),
  };
}

export const logouts = family('logouts', start, {
  // Nothing ends: the same browser logs out in the next row.
  flo: {
    cause: ({ login, listener }) =>
      login.visitor.get(`/v2/logout?client_id=${listener.client_id}&returnTo=${encodeURIComponent(FOREIGN)}`),
    has: ({ login, listener }) => ({
      ...listener,
      user_id: login.user.id,
      description: expect.stringContaining('is not defined as a valid URL in "Allowed Logout URLs"'),
      ...details({ session_id: login.sid, return_to: FOREIGN, allowed_logout_url: [] }),
    }),
  },
  slo: {
    cause: ({ login, listener }) => login.visitor.get(`/v2/logout?client_id=${listener.client_id}`),
    has: ({ login, listener }) => ({
      ...listener,
      user_id: login.user.id,
      user_name: login.user.email,
      ...details({ session_id: login.sid, allowed_logout_url: [] }),
    }),
  },
  oidc_backchannel_logout_succeeded: {
    isOfServer: true,
    cause: ({ application }) => application.deliver(),
    has: ({ application, listener, login }) => ({
      ...listener,
      user_id: login.user.id,
      ...details({
        backchannel_logout_url: application.url,
        initiator: 'rp-logout',
        session_id: login.sid,
        trace_id: expect.any(String),
        attempt: 1,
      }),
    }),
  },
  oidc_backchannel_logout_failed: {
    isOfServer: true,
    async cause({ application, logIn }) {
      const { visitor } = await logIn();
      application.answers(503);
      await visitor.get('/v2/logout');
      await application.deliver();
    },
    has: ({ application, listener }) => ({
      ...listener,
      user_id: expect.stringMatching(/^auth0\|/),
      description: 'The application answered with the status 503.',
      ...details({ backchannel_logout_url: application.url, initiator: 'rp-logout', attempt: 1, will_retry: true }),
    }),
  },
});
