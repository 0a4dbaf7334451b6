import { actionCache } from './action-cache.ts';
import type { Run } from './current-run.ts';
import { encodeToken, validateToken } from './session-token.ts';

/** Something that an action asked for: `accessToken.setCustomClaim` with a name and a value. */
export interface Command {
  /** Index of the action. */
  readonly action: number;
  readonly name: string;
  readonly arguments: readonly unknown[];
}

type Record = (name: string, given: readonly unknown[]) => void;
type Members = Readonly<{ [name: string]: unknown }>;
type Method = (...given: readonly unknown[]) => unknown;

const METADATA = ['user.setAppMetadata', 'user.setUserMetadata'];
const SAML =
  `Attribute Audience Recipient Destination LifetimeInSeconds Issuer NameIdentifierFormat NameIdentifierProbes
  AuthnContextClassRef SigningCert Key Cert EncryptionCert EncryptionPublicKey EncryptionAlgorithm SignatureAlgorithm DigestAlgorithm
  SignResponse IncludeAttributeNameFormat TypedAttributes RelayState MapIdentities MapUnknownClaimsAsIs
  PassthroughClaimsWithNoMapping CreateUpnClaim`.split(/\s+/);

/** Methods that only say what shall happen; the server makes of it what it may. */
const COMMANDS: Readonly<{ [trigger: string]: readonly string[] }> = {
  'post-login': [
    'access.deny',
    ...['accessToken.setCustomClaim', 'accessToken.addScope', 'accessToken.removeScope', 'idToken.setCustomClaim'],
    ...['challengeWith', 'challengeWithAny', 'enrollWith', 'enrollWithAny', 'recordMethod', 'setPrimaryUser'].map(
      (name) => `authentication.${name}`,
    ),
    'multifactor.enable',
    'prompt.render',
    ...METADATA,
    'transaction.setMetadata',
    ...['revoke', 'setExpiresAt', 'setIdleExpiresAt', 'setMetadata', 'deleteMetadata', 'evictMetadata'].flatMap(
      (name) => [`session.${name}`, `refreshToken.${name}`],
    ),
    'session.setCookieMode',
    ...SAML.map((name) => `samlResponse.set${name}`),
    'validation.error',
  ],
  'credentials-exchange': [
    'access.deny',
    'accessToken.setCustomClaim',
    ...['addTargetScope', 'removeTargetScope', 'setTargetScopes', 'clearTargetScopes'].map(
      (name) => `transaction.${name}`,
    ),
  ],
  'pre-user-registration': ['access.deny', ...METADATA, 'validation.error'],
  'password-reset-post-challenge': [
    'access.deny',
    ...['authentication.challengeWith', 'authentication.challengeWithAny'],
    'prompt.render',
    'transaction.setResultUrl',
  ],
  'custom-token-exchange': [
    ...['access.deny', 'access.rejectInvalidSubjectToken'],
    ...['setUserById', 'setUserByConnection', 'setOrganization', 'setActor'].map((name) => `authentication.${name}`),
    ...METADATA,
    'transaction.setMetadata',
  ],
  'custom-phone-provider': ['notification.drop', 'notification.retry'],
  'custom-email-provider': ['notification.drop', 'notification.retry'],
};

/**
 * After the action that asks for one of them, no further one runs: now, or not before the user is back. `prompt.render` has no
 * effect yet, and is none of them: what a later action refuses must not be let in.
 */
const ENDS = new Set([
  ...['access.deny', 'access.rejectInvalidSubjectToken', 'validation.error', 'notification.drop', 'notification.retry'],
  ...['session.revoke', 'refreshToken.revoke', 'redirect.sendUserTo'],
  ...['challengeWith', 'challengeWithAny', 'enrollWith', 'enrollWithAny'].map((name) => `authentication.${name}`),
]);
const MOST_COMMANDS = 1_000;

export function endsTrigger(name: string): boolean {
  return ENDS.has(name);
}

/** `api` of one action. `event` is what the server sent, whatever the action did to its copy. */
export function actionApi(run: Run, event: Members, record: Record): object {
  const trigger = String(run.input.trigger);
  const api: { [group: string]: { [method: string]: Method } } = {};
  let count = 0;
  const command = (name: string, given: readonly unknown[]) => {
    if (++count > MOST_COMMANDS) throw new Error(`An action may ask for ${MOST_COMMANDS} things at most.`);
    record(name, given);
    // Calls may be chained.
    return api;
  };
  const add = (name: string, method: Method) => {
    const [group = '', member = ''] = name.split('.');
    api[group] ??= {};
    api[group][member] = method;
  };
  for (const name of COMMANDS[trigger] ?? []) add(name, (...given) => command(name, checked(name, given)));
  for (const [name, method] of Object.entries(actionCache(trigger))) add(`cache.${name}`, method);
  if (trigger === 'post-login') add('rules.wasExecuted', (id) => textsOf(run.input.executedRules).includes(id));
  if (trigger === 'post-login' || trigger === 'password-reset-post-challenge') {
    add('redirect.canRedirect', () => run.input.canRedirect === true);
    add('redirect.encodeToken', (options) => encodeToken(options, event, run.input.domain));
    add('redirect.validateToken', (options) => validateToken(options, event));
    add('redirect.sendUserTo', (url, options) => command('redirect.sendUserTo', [withQuery(url, options)]));
  }
  return api;
}

/** What is wrong at first sight is an error in the author's own line. */
function checked(name: string, given: readonly unknown[]): readonly unknown[] {
  const [first] = given;
  const isNamed = /\.(?:setCustomClaim|setAttribute|set\w*Metadata|deleteMetadata|\w+Scope)$/.test(name);
  if (isNamed && (typeof first !== 'string' || first === ''))
    throw new TypeError(`api.${name} takes a name first, and it is a text.`);
  if (/ExpiresAt$/.test(name) && !(typeof first === 'number' && Number.isFinite(first)))
    throw new TypeError(`api.${name} takes a moment: milliseconds since 1970.`);
  if (name === 'session.setCookieMode' && first !== 'persistent' && first !== 'non-persistent')
    throw new TypeError(`api.${name} takes 'persistent' or 'non-persistent'.`);
  return given;
}

function withQuery(url: unknown, options: unknown): string {
  if (typeof url !== 'string' || !URL.canParse(url)) throw new TypeError('api.redirect.sendUserTo takes a URL.');
  const target = new URL(url);
  const query: unknown = typeof options === 'object' && options !== null ? Reflect.get(options, 'query') : undefined;
  if (typeof query === 'object' && query !== null)
    for (const [name, value] of Object.entries(query)) target.searchParams.append(name, String(value));
  return target.href;
}

function textsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
