import { DEVICE_GRANT } from '../src/oauth/device/device-code.ts';
import { createTestClient } from './protocol.ts';
import type { Visitor } from './visitor.ts';
import { startWorld, type World } from './world.ts';

export type Page = Awaited<ReturnType<Visitor['get']>>;
type Ask = Readonly<Record<string, string>>;

export type DeviceWorld = Awaited<ReturnType<typeof startDeviceWorld>>;

/** A world with a television, which asks for codes and polls, and with browsers that type them. */
export async function startDeviceWorld(started?: World) {
  const world = started ?? (await startWorld());
  const device = (changes: Record<string, unknown> = {}) =>
    createTestClient(world, {
      name: 'Living room',
      app_type: 'native',
      grant_types: [DEVICE_GRANT, 'refresh_token'],
      ...changes,
    });
  const television = await device();
  const user = () => ({ username: world.user.email, password: world.user.password });
  const ask = (changes: Ask = {}) =>
    world.request({
      path: '/oauth/device/code',
      form: { client_id: television.client_id, scope: 'openid offline_access', ...changes },
    });
  let network = 0;

  /** A browser, each in a network of its own unless a test says otherwise: guesses are counted by network. */
  function browser(ip = `198.51.${++network >> 8}.${network & 255}`) {
    const visitor = world.visitor();
    const headers = { 'x-forwarded-for': ip };
    return {
      visitor,
      open: (code: string) => visitor.get(`/activate?user_code=${encodeURIComponent(code)}`, headers),
      async type(code: string) {
        const entry = await visitor.get('/activate', headers);
        const _csrf = /name="_csrf" value="([^"]+)"/.exec(entry.body)?.[1] ?? '';
        return visitor.post('/activate', { _csrf, user_code: code }, { origin: world.origin, ...headers });
      },
    };
  }

  return {
    world,
    television,
    device,
    user,
    ask,
    begin: async (changes: Ask = {}) => (await ask(changes)).json(),
    async poll(device_code: string, changes: Ask = {}) {
      const form = { grant_type: DEVICE_GRANT, client_id: television.client_id, device_code, ...changes };
      const response = await world.token(form);
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    browser,
    /** Lets a device in: code, confirmation, login. */
    async letIn(userCode: string, who = user()) {
      const { visitor, type } = browser();
      const login = await visitor.follow(await visitor.submit(await type(userCode), { action: 'confirm' }));
      return { visitor, page: await visitor.follow(await visitor.submit(login, who)) };
    },
  };
}

export const isConfirmation = ({ body }: Page): boolean => body.includes('action="/activate/confirm"');
