import { decodeJwt } from 'jose';
import { digest } from '../kit/digest.ts';
import type { Json } from '../kit/json-values.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { AwayError } from './away-error.ts';
import type { Caller, ServiceSettings } from './service-settings.ts';
import type { Turns } from './turns.ts';
import { faultOfClaims, hasScope, refused, type Verdict, verdictOfClaims, withoutTokenClaims } from './verdict.ts';

interface Parts {
  readonly settings: Pick<ServiceSettings, 'issuer' | 'mode'>;
  readonly server: Pick<AuthorizationServer, 'introspect' | 'isForUserinfo' | 'userinfo'>;
  readonly turns: Turns;
  readonly now: () => number;
  readonly deadlineMilliseconds?: number;
}

/** What the server says of a token, whoever asks. */
interface Answer {
  readonly claims: Json;
  /** What /userinfo adds. */
  readonly profile: Json;
}

const DEADLINE = 10_000;

export type VerifyToken = (token: string, caller: Caller) => Promise<Verdict>;

/** Asks the authorization server about a token, once for all who ask at the same time. Nothing is kept. */
export function createTokenVerifier({
  settings,
  server,
  turns,
  now,
  deadlineMilliseconds = DEADLINE,
}: Parts): VerifyToken {
  const { issuer, mode } = settings;
  const flights = new Map<string, Promise<Answer | undefined>>();

  async function verify(token: string, caller: Caller): Promise<Verdict> {
    const unverified = unverifiedClaims(token);
    // Of an opaque token /userinfo does not say for which API it was given.
    if (mode === 'userinfo' && !unverified) return refused('audience');
    // Refused before anybody is asked: a token of somewhere else is not shown around.
    const fault = unverified && faultOfClaims(unverified, { issuer, caller });
    if (fault) return refused(fault);
    const answer = await askOnce(token, caller, unverified);
    const seconds = now() / 1000;
    if (!answer) return refused(isOver(unverified, seconds) ? 'expired' : 'unknown');
    const verdict = verdictOfClaims(answer.claims, { issuer, caller, now: seconds });
    if (!verdict.active) return verdict;
    return { ...verdict, user: { ...withoutTokenClaims(answer.profile), ...verdict.user } };
  }

  function askOnce(token: string, caller: Caller, unverified: Json | undefined): Promise<Answer | undefined> {
    const key = digest(token);
    const flying = flights.get(key);
    if (flying) return flying;
    const flight = ask(token, caller, unverified).finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  }

  async function ask(token: string, caller: Caller, unverified: Json | undefined): Promise<Answer | undefined> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMilliseconds);
    const { signal } = deadline;
    try {
      return await turns.inTurn(caller.name, signal, () =>
        mode === 'introspection' ? byIntrospection(token, signal) : byUserinfo(token, signal, unverified ?? {}),
      );
    } catch (cause) {
      throw signal.aborted ? new AwayError(`${issuer} did not answer within ${deadlineMilliseconds} ms.`) : cause;
    } finally {
      clearTimeout(timer);
    }
  }

  async function byIntrospection(token: string, signal: AbortSignal): Promise<Answer | undefined> {
    const claims = await server.introspect(token, signal);
    // A refresh token is active too (RFC 7662 section 2.2 knows both), and has no token type.
    if (!claims || String(claims.token_type).toLowerCase() !== 'bearer') return undefined;
    // A machine's token or a bound one would be refused there, and so would one whose API has another algorithm than /userinfo.
    const isTakenThere = hasScope(claims, 'openid') && claims.cnf === undefined && (await server.isForUserinfo(claims));
    if (!isTakenThere) return { claims, profile: {} };
    const profile = await server.userinfo(token, signal);
    // Refused a moment later: whatever ended it ends it here, too.
    return profile && isOf(claims, profile) ? { claims, profile } : undefined;
  }

  /** What the token itself says counts, since its issuer took it as it is. */
  async function byUserinfo(token: string, signal: AbortSignal, claims: Json): Promise<Answer | undefined> {
    const profile = await server.userinfo(token, signal);
    return profile && isOf(claims, profile) ? { claims, profile } : undefined;
  }

  return verify;
}

/** OpenID Connect Core section 5.3.2: the answer may have been meant for somebody else. */
function isOf(claims: Json, profile: Json): boolean {
  return typeof profile.sub === 'string' && profile.sub === claims.sub;
}

function isOver(claims: Json | undefined, seconds: number): boolean {
  return typeof claims?.exp === 'number' && claims.exp <= seconds;
}

function unverifiedClaims(token: string): Json | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}
