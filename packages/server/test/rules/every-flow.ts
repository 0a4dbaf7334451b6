import { createTestClient } from '../protocol.ts';
import type { World } from '../world.ts';

const CALLBACK = 'https://app.example.com/callback';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export const SEEN = 'https://example.com/seen';
export const DENY = 'function (user, context, callback) { callback(new UnauthorizedError("Not today")); }';

/** An application that may log in by every flow of a browser; `at` gives the parameters of its /authorize. */
export async function createBrowserApplication(world: World) {
  const { client_id } = await createTestClient(world, {
    name: 'All flows',
    app_type: 'spa',
    oidc_conformant: true,
    grant_types: ['authorization_code', 'implicit', 'refresh_token'],
    callbacks: [CALLBACK],
    web_origins: ['https://app.example.com'],
  });
  return {
    client_id,
    at: (parameters: Record<string, string> = {}) => ({ client_id, redirect_uri: CALLBACK, nonce: 'n', ...parameters }),
  };
}

/** A browser that has logged in. */
export async function loggedIn(world: World) {
  const visitor = world.visitor();
  await visitor.logIn();
  return visitor;
}

/** A device of its own, and its user's browser. */
export async function television(world: World) {
  const device = await createTestClient(world, { name: 'TV', app_type: 'native', grant_types: [DEVICE_GRANT] });
  return {
    begin: async () =>
      (
        await world.request({ path: '/oauth/device/code', form: { client_id: device.client_id, scope: 'openid' } })
      ).json(),
    async letIn(userCode: string, who: { readonly email: string; readonly password: string } = world.user) {
      const visitor = world.visitor();
      const { email: username, password } = who;
      const confirmation = await visitor.get(`/activate?user_code=${userCode}`);
      const login = await visitor.follow(await visitor.submit(confirmation, { action: 'confirm' }));
      return visitor.follow(await visitor.submit(login, { username, password }));
    },
    poll: (device_code: string) => world.token({ grant_type: DEVICE_GRANT, client_id: device.client_id, device_code }),
  };
}
