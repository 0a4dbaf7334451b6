import { expect } from 'vitest';
import { startDeviceWorld } from '../../device-world.ts';
import { startWorld } from '../../world.ts';
import { family, fromPhone, PHONE } from '../family.ts';
import { ada, details, failed } from '../record.ts';

const start = async () => startDeviceWorld(fromPhone(await startWorld()));

const television = { client_name: 'Living room' };

export const devices = family('devices', start, {
  fdeaz: {
    cause: ({ ask }) => ask({ audience: 'urn:unknown' }),
    has: (stage) => ({
      client_id: stage.television.client_id,
      ...television,
      description: 'Service not found: urn:unknown',
      ...failed('Service not found: urn:unknown', 'access_denied'),
    }),
  },
  // Of a code that nobody has: it belongs to no application.
  fdeac: {
    cause: ({ browser }) => browser(PHONE.ip).type('BCDF-GHJK'),
    has: () => ({ description: 'The user code is unknown, expired or used' }),
  },
  fdecc: {
    async cause({ begin, browser }) {
      const { user_code } = await begin();
      const { visitor, open } = browser(PHONE.ip);
      return visitor.submit(await open(user_code), { action: 'cancel' });
    },
    has: (stage) => ({
      client_id: stage.television.client_id,
      ...television,
      description: 'User cancelled the confirmation.',
    }),
  },
  sede: {
    async cause({ begin, letIn, poll, world }) {
      const { device_code, user_code } = await begin({ audience: world.main.api.identifier });
      await letIn(user_code);
      return poll(device_code);
    },
    has: (stage) => ({
      client_id: stage.television.client_id,
      ...television,
      ...ada(stage.world),
      audience: stage.world.main.api.identifier,
      scope: 'openid offline_access',
      ...details({ session_id: expect.any(String) }),
    }),
  },
  fede: {
    cause: ({ poll }) => poll('unknown'),
    has: (stage) => ({
      client_id: stage.television.client_id,
      ...television,
      description: 'Invalid or expired device code.',
      ...failed('Invalid or expired device code.', 'invalid_grant'),
    }),
  },
});
