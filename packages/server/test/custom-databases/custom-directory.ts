import { created } from '../protocol.ts';
import type { World } from '../world.ts';

/** A directory of the tenant `dev` whose users are elsewhere, as its scripts say. The first run's clients may use it. */
export interface CustomDirectory {
  readonly id: string;
  readonly name: string;
  /** Changes some options and keeps the others. */
  change(options: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function createCustomDirectory(
  world: World,
  name: string,
  scripts: Readonly<Record<string, string>>,
  options: Readonly<Record<string, unknown>> = {},
): Promise<CustomDirectory> {
  const api = world.api();
  const clients = [world.password_client.client_id, world.spa_client.client_id];
  const { id } = await created(
    api.post('/connections', {
      name,
      strategy: 'auth0',
      enabled_clients: clients,
      options: { enabledDatabaseCustomization: true, customScripts: scripts, ...options },
    }),
  );
  return {
    id: String(id),
    name,
    async change(changes) {
      const before = (await api.get(`/connections/${id}`)).json();
      await created(api.patch(`/connections/${id}`, { options: { ...before.options, ...changes } }));
    },
  };
}

/** The password-realm grant at a directory. */
export function logInAt(world: World, realm: string, username: string, password: string) {
  const { client_id, client_secret } = world.password_client;
  return world.token({
    grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
    client_id,
    client_secret,
    realm,
    username,
    password,
    scope: 'openid profile email',
  });
}

/** A table of users as scripts see one: JSON in `configuration.USERS`, found by e-mail or name. */
export const TABLE = {
  login: `function login(email, password, callback) {
    const user = JSON.parse(configuration.USERS).find((one) => one.email === email || one.username === email);
    if (!user) return callback(new WrongUsernameOrPasswordError());
    const { secret, ...profile } = user;
    if (secret !== password) return callback(new WrongUsernameOrPasswordError(user.user_id, 'wrong'));
    return callback(null, profile);
  }`,
  get_user: `function getUser(email, callback) {
    const user = JSON.parse(configuration.USERS).find((one) => one.email === email || one.username === email);
    if (!user) return callback(null);
    const { secret, ...profile } = user;
    return callback(null, profile);
  }`,
};

export const THEIR_PASSWORD = 'the-password-there';

let made = 0;
/** A directory with one user, who has `profile` in the other database. */
export async function createPersonDirectory(world: World, profile: object, options: object = {}) {
  const name = `people-${++made}`;
  const email = `${name}@legacy.test`;
  const userId = `auth0%7C${name}`;
  const configurationOf = (changed: object) => ({
    configuration: { USERS: JSON.stringify([{ user_id: name, email, secret: THEIR_PASSWORD, ...changed }]) },
  });
  const directory = await createCustomDirectory(world, name, TABLE, { ...configurationOf(profile), ...options });
  return {
    ...directory,
    email,
    /** As a path has it. */
    userId,
    says: (changed: object) => directory.change(configurationOf(changed)),
    async logIn() {
      const response = await logInAt(world, name, email, THEIR_PASSWORD);
      if (response.statusCode !== 200) throw new Error(response.body);
    },
    read: async (...scopes: string[]) => (await world.api(...scopes).get(`/users/${userId}`)).json(),
  };
}
