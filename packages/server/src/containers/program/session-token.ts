import { parseJson, stringify } from './wire.ts';

type Members = Readonly<Record<string, unknown>>;

const DEFAULT_LIFETIME = 900;
const DEFAULT_PARAMETER = 'session_token';
const HEADER = { alg: 'HS256', typ: 'JWT' };
const now = Date.now.bind(Date);

/** `api.redirect.encodeToken`: what an action tells the page that it sends the user to, so that the page can rely on it. */
export function encodeToken(options: unknown, event: Members, domain: unknown): string {
  const { secret, payload, expiresInSeconds = DEFAULT_LIFETIME } = membersOf(options);
  const issuedAt = Math.floor(now() / 1000);
  const lifetime = Number(expiresInSeconds);
  if (!(lifetime > 0)) throw new TypeError('api.redirect.encodeToken takes a number above 0 as expiresInSeconds.');
  const claims = {
    ...membersOf(payload),
    iat: issuedAt,
    iss: domain,
    sub: membersOf(event.user).user_id,
    exp: issuedAt + lifetime,
    ip: membersOf(event.request).ip,
  };
  const text = `${encode(HEADER)}.${encode(claims)}`;
  return `${text}.${sign(text, secretOf(secret))}`;
}

/** `api.redirect.validateToken`: the claims of the token that the page sent back; its `state` ties it to this redirect. */
export function validateToken(options: unknown, event: Members): unknown {
  const { secret, tokenParameterName = DEFAULT_PARAMETER } = membersOf(options);
  const request = membersOf(event.request);
  const parameters = { ...membersOf(request.query), ...membersOf(request.body) } as Members;
  const token = parameters[String(tokenParameterName)];
  if (typeof token !== 'string') throw invalid(`There is no parameter ${tokenParameterName}.`);
  const [header = '', payload = '', signature = '', rest] = token.split('.');
  const alg = membersOf(decode(header)).alg;
  if (rest !== undefined || alg !== 'HS256') throw invalid('It is not signed with HS256.');
  if (!isSame(sign(`${header}.${payload}`, secretOf(secret)), signature)) throw invalid('Its signature is wrong.');
  const claims = membersOf(decode(payload));
  const { iat, exp, sub, iss, state } = claims;
  if (typeof iat !== 'number' || typeof exp !== 'number' || typeof iss !== 'string' || typeof sub !== 'string')
    throw invalid('Missing or invalid standard claims: iat, exp, iss and sub are needed.');
  if (exp * 1000 <= now()) throw invalid('It has expired.');
  if (sub !== membersOf(event.user).user_id) throw invalid('It is about another user.');
  if (state === undefined || state !== parameters.state)
    throw invalid('State in the token does not match the /continue state.');
  return claims;
}

function secretOf(secret: unknown): string {
  if (typeof secret !== 'string' || secret === '')
    throw new TypeError('A secret is needed to sign and check session tokens.');
  return secret;
}

function sign(text: string, secret: string): string {
  return process.getBuiltinModule('crypto').createHmac('sha256', secret).update(text).digest('base64url');
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && process.getBuiltinModule('crypto').timingSafeEqual(left, right);
}

function encode(value: unknown): string {
  return Buffer.from(stringify(value)).toString('base64url');
}

function decode(text: string): unknown {
  try {
    return parseJson(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function invalid(why: string): Error {
  return new Error(`The session token is invalid: ${why}`);
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
