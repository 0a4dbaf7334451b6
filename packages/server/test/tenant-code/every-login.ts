import { action, deployAction, setActions } from '../actions/actions.ts';
import { created, createTestClient, type createTestUser, passwordGrant, refresh } from '../protocol.ts';
import { createBrowserApplication, television } from '../rules/every-flow.ts';
import { PAGE } from '../rules/leaving.ts';
import { setRules } from '../rules/rules.ts';
import { CALLBACK, type Visitor } from '../visitor.ts';
import type { World } from '../world.ts';

export type Person = Awaited<ReturnType<typeof createTestUser>>;
/** Does what has to be there before tenant code decides; the step itself comes back. */
export type Flow = (who: Person) => Promise<() => Promise<unknown>>;

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';
const SUBJECT_TYPE = 'urn:acme:user-id';
const ORIGIN = 'http://localhost:5555';

const RULE = `function (user, context, callback) {
  const wish = (user.app_metadata || {}).wish;
  if (wish === 'rule') return callback(new Error('Not today'));
  if (wish === 'factor') context.multifactor = { provider: 'any' };
  if (wish === 'page' && context.protocol !== 'redirect-callback') context.redirect = { url: '${PAGE}' };
  callback(null, user, context);
}`;
const ACTION = action(
  'onExecutePostLogin',
  `if (event.user.app_metadata.wish === 'action') api.access.deny('Not today');`,
);
const EXCHANGE = action(
  'onExecuteCustomTokenExchange',
  `const { subject_token } = event.transaction;
   if (subject_token === 'stolen') return api.access.deny('invalid_request', 'Not this one');
   api.authentication.setUserById(subject_token);`,
);

/** A rule "Wishes" and an action "Doorman" that do as each user's app_metadata wish, and every way to log in. */
export async function everyLogin(world: World) {
  const manage = world.api();
  const app = await createBrowserApplication(world);
  const tv = await television(world);
  const embedded = await createTestClient(world, {
    app_type: 'spa',
    token_endpoint_auth_method: 'none',
    callbacks: [CALLBACK],
    web_origins: [ORIGIN],
    cross_origin_authentication: true,
    oidc_conformant: true,
    grant_types: ['authorization_code'],
  });
  const exchanger = await createTestClient(world, {
    token_exchange: { allow_any_profile_of_type: ['custom_authentication'] },
  });
  const exchangeAction = await deployAction(world, 'custom-token-exchange', { name: 'Exchange', code: EXCHANGE });
  await created(
    manage.post('/token-exchange-profiles', {
      name: 'By id',
      type: 'custom_authentication',
      subject_token_type: SUBJECT_TYPE,
      action_id: exchangeAction,
    }),
  );
  await setRules(world, [['Wishes', RULE]]);
  const [doorman] = await setActions(world, 'post-login', [{ name: 'Doorman', code: ACTION }]);

  const exchange = (subject_token: string) =>
    world.token({ grant_type: TOKEN_EXCHANGE, ...exchanger, subject_token, subject_token_type: SUBJECT_TYPE });

  async function logIn(visitor: Visitor, { email: username, password }: Person, parameters: Record<string, string>) {
    const { response } = await visitor.authorize(parameters);
    return visitor.follow(await visitor.submit(response, { username, password }));
  }

  const pages =
    (parameters: Record<string, string> = {}): Flow =>
    async (who) =>
    () =>
      logIn(world.visitor(), who, parameters);

  const session =
    (parameters: Record<string, string> = {}): Flow =>
    async (who) => {
      const visitor = world.visitor();
      await logIn(visitor, who, {});
      return () => visitor.authorize(parameters);
    };

  const password =
    (changes: Record<string, string> = {}): Flow =>
    async (who) =>
    () =>
      passwordGrant(world, { username: who.email, password: who.password, ...changes });

  const flows = {
    pages: pages(),
    tokensInTheAddress: pages(app.at({ response_type: 'token id_token' })),
    session: session(),
    silent: session({ prompt: 'none' }),

    async device(who) {
      const { user_code } = await tv.begin();
      return () => tv.letIn(user_code, who);
    },

    async deviceThatPolls(who) {
      const { user_code, device_code } = await tv.begin();
      return async () => {
        await tv.letIn(user_code, who);
        await tv.poll(device_code);
      };
    },

    async ownForm({ email: username, password }) {
      const visitor = world.visitor();
      const { client_id } = embedded;
      const body = { client_id, username, password, realm: world.connection, credential_type: PASSWORD_REALM };
      return async () => {
        const { login_ticket } = (await visitor.post('/co/authenticate', body, { origin: ORIGIN })).json();
        await visitor.authorize({ client_id, login_ticket });
      };
    },

    password: password(),
    passwordRealm: password({ grant_type: PASSWORD_REALM, realm: world.connection }),

    async refreshToken(who) {
      const given = { username: who.email, password: who.password, scope: 'openid offline_access' };
      const { refresh_token } = (await passwordGrant(world, given)).json();
      return () => refresh(world, refresh_token);
    },

    tokenExchange: async (who) => () => exchange(who.id),
  } satisfies Record<string, Flow>;

  return {
    flows,
    exchange,
    exchangeAction,
    doorman,
    wish: (who: Person, what: 'rule' | 'action' | 'page' | 'factor' | null) =>
      created(manage.patch(`/users/${encodeURIComponent(who.id)}`, { app_metadata: { wish: what } })),
  };
}
