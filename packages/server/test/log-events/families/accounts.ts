import { expect } from 'vitest';
import { isGone, linkFor } from '../../mails.ts';
import { createTestUser } from '../../protocol.ts';
import { startWorld } from '../../world.ts';
import { family, fromPhone } from '../family.ts';
import { details, directory, spa } from '../record.ts';

const NEW = 'A-quite-new-horse-9';
const MOVED = 'moved@example.org';
const STRANGER = 'stranger@example.org';

async function start() {
  const world = fromPhone(await startWorld());
  const user = await createTestUser(world, 'grace');
  const path = `/users/${encodeURIComponent(user.id)}`;
  await world.api().patch(path, { email_verified: false });
  const forgot = (email: string) =>
    world.request({
      path: '/dbconnections/change_password',
      json: { client_id: world.spa_client.client_id, connection: world.connection, email },
    });
  return { world, user, path, forgot, identity_user_id: user.id.slice('auth0|'.length) };
}

export const accounts = family('accounts', start, {
  svr: {
    cause: ({ world, user }) =>
      world.api().post('/jobs/verification-email', { user_id: user.id, client_id: world.spa_client.client_id }),
    has: ({ world, user, identity_user_id }) => ({
      ...spa(world),
      ...directory(world),
      user_id: user.id,
      user_name: user.email,
      ...details({
        body: {
          template: { type: 'verify_email' },
          tenant: 'dev',
          client_id: world.spa_client.client_id,
          connection: world.connection,
          provider: 'auth0',
          idp_user_id: identity_user_id,
          user_id: user.id,
          to: user.email,
          job_id: expect.stringMatching(/^job_/),
        },
      }),
    }),
  },
  sv: {
    cause: async ({ world, user }) =>
      world.visitor().get(await linkFor(world, 'email-verification', { user_id: user.id })),
    has: ({ world, user, identity_user_id }) => ({
      ...directory(world),
      user_id: user.id,
      user_name: user.email,
      identity_user_id,
      ...details({ title: 'Verify email', email: user.email }),
    }),
  },
  // The link was for the address before: it is nobody's any more.
  fv: {
    async cause({ world, user, path }) {
      const link = await linkFor(world, 'email-verification', { user_id: user.id });
      await world.api().patch(path, { email: MOVED });
      return isGone(await world.visitor().get(link));
    },
    has: () => ({
      description: expect.stringContaining('does not exist, was used or has been replaced'),
      ...details({ title: 'Verify email', error: { message: expect.any(String) } }),
    }),
  },
  scpr: {
    cause: ({ forgot }) => forgot(MOVED),
    has: ({ world, user }) => ({
      ...spa(world),
      ...directory(world),
      user_id: user.id,
      user_name: MOVED,
      ...details({ title: 'Change password', email: MOVED, body: expect.objectContaining({ email: MOVED }) }),
    }),
  },
  fcpr: {
    cause: ({ forgot }) => forgot(STRANGER),
    has: ({ world }) => ({
      ...spa(world),
      ...directory(world),
      user_name: STRANGER,
      description: 'User does not exist.',
      ...details({
        body: expect.objectContaining({ email: STRANGER }),
        error: { message: 'User does not exist.' },
      }),
    }),
  },
  scp: {
    async cause({ world, user }) {
      const visitor = world.visitor();
      const link = await linkFor(world, 'password-change', { user_id: user.id });
      const form = await visitor.follow(await visitor.get(link));
      return visitor.submit(form, { password: NEW, password_again: NEW });
    },
    has: ({ world, user, identity_user_id }) => ({
      ...directory(world),
      user_id: user.id,
      user_name: MOVED,
      identity_user_id,
      ...details({ title: 'Change password', email: MOVED, body: { user_id: user.id, password: '*****' } }),
    }),
  },
});
