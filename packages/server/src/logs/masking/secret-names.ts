export type SecretKind = 'secret' | 'token' | 'code' | 'named-secrets';

const EXACT = new Map<string, SecretKind>([
  ...secrets(
    'pwd',
    'passphrase',
    'pin',
    'otp',
    'otpcode',
    'oobcode',
    'bindingcode',
    'recoverycode',
    'verificationcode',
  ),
  ...secrets('assertion', 'clientassertion', 'codeverifier', 'devicecode', 'usercode', 'authreqid', 'samlresponse'),
  ...secrets('subjecttoken', 'actortoken', 'ticket', 'loginticket', 'cosessionid', 'idtokenhint', 'requesttoken'),
  ...secrets(
    'authorization',
    'proxyauthorization',
    'httpauthorization',
    'cookie',
    'setcookie',
    'dpop',
    'xapikey',
    'apikey',
  ),
  ...secrets('secretencoded', 'accesskeyid', 'secretaccesskey', 'sharedsecret', 'totpsecret', 'pem', 'privatepem'),
  ...secrets('passwordhash', 'custompasswordhash', 'connectionstring', 'serviceaccountkey'),
  // Of log streams: addresses and headers that their receivers take for a password.
  ...secrets('segmentwritekey', 'sumosourceaddress', 'httpcustomheaders', 'otlpheaders'),
  // Of alerts: the address of a chat's webhook is its password.
  ...secrets('webhook'),
  // What a custom database's scripts need: passwords and keys under names that its operator chose.
  ...secrets('configuration', 'bareconfiguration'),
  ['secrets', 'named-secrets'],
  ['code', 'code'],
]);
/** Ends of names: newPassword, client_secret, datadogApiKey, splunkToken … */
const SECRET_END = /(?:password|passwd|secret|privatekey|apikey|accesskey|secretkey|encryptionkey)$/;
const TOKEN_END = /tokens?$/;
/** Names that end like a secret and are settings, or names of secrets. */
const HARMLESS = new Set(['accessedsecrets', 'requirepassword', 'supportedtokens']);

/** How a member of this name is masked; undefined when it is no secret. Case, `_` and `-` do not count. */
export function secretKindOf(key: string): SecretKind | undefined {
  const known = cache.get(key);
  if (known !== undefined) return known === 'none' ? undefined : known;
  const kind = classify(key.toLowerCase().replace(/[_\-\s.[\]]/g, ''));
  // Keys come from requests: what is remembered is bounded.
  if (cache.size < 2_000 && key.length < 64) cache.set(key, kind ?? 'none');
  return kind;
}

const cache = new Map<string, SecretKind | 'none'>();

function classify(name: string): SecretKind | undefined {
  if (HARMLESS.has(name)) return undefined;
  const exact = EXACT.get(name);
  if (exact !== undefined) return exact;
  if (SECRET_END.test(name)) return 'secret';
  return TOKEN_END.test(name) ? 'token' : undefined;
}

function secrets(...names: string[]): [string, SecretKind][] {
  return names.map((name) => [name, 'secret']);
}

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4: the members that make a JWK a private or shared key. */
export const PRIVATE_JWK_MEMBERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

export function isPrivateJwk(value: object): boolean {
  return 'kty' in value && ('d' in value || 'k' in value);
}
