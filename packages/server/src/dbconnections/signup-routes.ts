import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Transact } from '../db/transact.ts';
import { mailLanguage } from '../email/mail-language.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { PrepareSignUp, SignUpStores } from '../login/sign-up.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { descriptionOf, explanationOf } from '../logs/explain-error.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import type { NewDatabaseUser } from '../users/create-user.ts';
import { type Metadata, type User, userErrors } from '../users/user.ts';
import { asSignUpError, databaseErrors } from './database-errors.ts';
import { type DatabaseRequest, type ReadDatabaseRequest, requiredText, text } from './database-request.ts';

interface Parts {
  readonly readRequest: ReadDatabaseRequest;
  readonly prepareSignUp: PrepareSignUp;
  readonly transact: Transact<SignUpStores>;
  readonly recordAlone: RecordEvent;
}

/** Auth0's limits of what a stranger may say about themselves. */
const MOST_METADATA_KEYS = 10;
const LONGEST_METADATA_KEY = 100;
const LONGEST_METADATA_VALUE = 500;
const LONGEST_PASSWORD = 4_096;
const LONGEST_PICTURE = 2_048;

/** POST /dbconnections/signup: a new user of a directory, without a login. */
export function databaseSignupRoutes(app: FastifyInstance, parts: Parts): void {
  const { readRequest, prepareSignUp, transact, recordAlone } = parts;

  app.post('/dbconnections/signup', { config: { errors: 'database' } }, async (http, reply) => {
    const request = await readRequest(http);
    const event = eventOf(http, request);
    try {
      const input = inputOf(request.body);
      const { makeUser, committed } = await prepareSignUp({
        tenant: http.tenant,
        client: request.client,
        connection: request.connection,
        input,
        password: requiredText(request.body, 'password', LONGEST_PASSWORD),
        language: mailLanguage(http.tenant, http.headers),
        requester: http.requester,
        event,
      });
      const user = await transact(makeUser);
      await committed();
      return reply.header('cache-control', 'no-store').send(toWire(user));
    } catch (cause) {
      const error = asSignUpError(cause, settingsOf(http.tenant).flags.enable_public_signup_user_exists_error === true);
      if (error instanceof DeclaredError && error.status < 500 && error.status !== 429) {
        // The log says what the answer keeps back.
        const description = descriptionOf(cause instanceof Error ? cause : error);
        const why = cause instanceof Error ? explanationOf(cause) : {};
        await recordAlone(http.tenant.tenantId, {
          ...event,
          type: 'signUpFailed',
          description,
          details: { ...event.details, ...why },
        });
      }
      throw error;
    }
  });
}

/** Nothing but these: who signs up says neither that an address is verified nor what an application may think (attack M3). */
function inputOf(body: DatabaseRequest['body']): NewDatabaseUser {
  const given = {
    email: text(body, 'email'),
    username: text(body, 'username'),
    phoneNumber: text(body, 'phone_number'),
    name: text(body, 'name'),
    nickname: text(body, 'nickname'),
    givenName: text(body, 'given_name'),
    familyName: text(body, 'family_name'),
    picture: text(body, 'picture', LONGEST_PICTURE),
    userMetadata: metadataOf(body.user_metadata),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function metadataOf(value: unknown): Metadata | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'object' || Array.isArray(value))
    throw databaseErrors.invalidMetadata({ reason: 'it must be an object' });
  const members = Object.entries(value);
  if (members.length > MOST_METADATA_KEYS)
    throw databaseErrors.invalidMetadata({ reason: `it must not have more than ${MOST_METADATA_KEYS} properties` });
  for (const [key, text] of members) {
    if (key.length > LONGEST_METADATA_KEY)
      throw databaseErrors.invalidMetadata({ reason: `names have at most ${LONGEST_METADATA_KEY} characters` });
    if (typeof text !== 'string' || text.length > LONGEST_METADATA_VALUE)
      throw databaseErrors.invalidMetadata({
        reason: `values are texts of at most ${LONGEST_METADATA_VALUE} characters`,
      });
  }
  return { ...value };
}

function eventOf(
  { requester }: FastifyRequest,
  { body, client, connection }: DatabaseRequest,
): Omit<AuditEvent, 'type'> {
  const userName = [body.email, body.username, body.phone_number].find((name) => typeof name === 'string');
  return {
    ...requester,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    ...(typeof userName === 'string' && { userName: userName.slice(0, 320) }),
    details: { body },
  };
}

function toWire(user: User): Record<string, unknown> {
  const [identity] = user.identities;
  if (!identity) throw userErrors.notFound();
  const wire = {
    _id: identity.userId,
    email: user.email,
    email_verified: user.email === undefined ? undefined : user.emailVerified,
    username: user.username,
    phone_number: user.phoneNumber,
    phone_verified: user.phoneNumber === undefined ? undefined : user.phoneVerified,
    given_name: user.givenName,
    family_name: user.familyName,
    user_metadata: Object.keys(user.userMetadata).length > 0 ? user.userMetadata : undefined,
  };
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
}
