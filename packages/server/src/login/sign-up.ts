import type { Registrations } from '../actions/running/registration.ts';
import type { Client } from '../clients/client.ts';
import { type Connection, isSignupOpen } from '../connections/connection.ts';
import type { KeepStores } from '../custom-databases/keep-remote-user.ts';
import type { PrepareUser } from '../custom-databases/prepare-user.ts';
import { toldToUser } from '../custom-databases/script-failure.ts';
import { type Json, objectOf } from '../kit/json-values.ts';
import type { AuditEvent, RecordEvent, Requester } from '../logs/event.ts';
import type { VerificationStores } from '../recovery/verification/send-verification.ts';
import {
  asksForVerification,
  isUnproved,
  type PrepareVerification,
} from '../recovery/verification/send-verification.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { NewDatabaseUser } from '../users/create-user.ts';
import type { User } from '../users/user.ts';
import { signUpErrors } from './signup-problem.ts';

export interface SignUpRequest {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly connection: Connection;
  readonly input: NewDatabaseUser;
  readonly password: string;
  readonly language: string;
  readonly requester: Requester;
  /** The login that it belongs to, as tenant code sees it. */
  readonly transaction?: Json;
  /** Who asks and what was sent, as the event tells it. */
  readonly event: Omit<AuditEvent, 'type'>;
}

export type SignUpStores = VerificationStores & KeepStores & { readonly record: RecordEvent };

/** Makes the user, in the transaction at hand. */
export type MakeUser = (stores: SignUpStores) => Promise<User>;
export type PrepareSignUp = (request: SignUpRequest) => Promise<PreparedSignUp>;

export interface PreparedSignUp {
  readonly makeUser: MakeUser;
  /** To be called when the transaction has committed. */
  readonly committed: () => Promise<void>;
}

interface Parts {
  readonly prepareUser: PrepareUser;
  readonly registrations: Registrations;
  readonly prepareVerification: PrepareVerification;
}

/** A stranger makes an account: the login page and /dbconnections/signup. The slow half comes before the transaction. */
export function createSignUp({ prepareUser, registrations, prepareVerification }: Parts): PrepareSignUp {
  return async function prepareSignUp(request) {
    const { tenant, client, connection, input, password, language, event } = request;
    const { tenantId } = tenant;
    // The page hides the link, but a form can be posted without it (attack L7).
    if (!isSignupOpen(connection)) throw signUpErrors.disabled();
    const registration = registrationOf(request);
    const makePerson = await prepareUser({
      tenant,
      connection,
      clientId: client.clientId,
      input,
      password,
      owner: ownerOf(input),
      before: (given) => registrations.before(registration, given, password),
      told: toldToUser,
    });
    let made: User | undefined;
    const sendVerification = await prepareVerification(tenant);

    async function makeUser(stores: SignUpStores): Promise<User> {
      const user = await makePerson(stores);
      await stores.record(tenantId, {
        ...event,
        type: 'signedUp',
        userId: user.userId,
        userName: user.email ?? user.username ?? user.userId,
      });
      const [identity] = user.identities;
      if (identity && isUnproved(user) && asksForVerification(connection)) {
        const { details: _ofTheSignUp, ...asked } = event;
        await sendVerification(stores, {
          tenant,
          user,
          identity,
          connection,
          client,
          language,
          isLanguageChosen: true,
          event: asked,
        });
      }
      made = user;
      return user;
    }

    return {
      makeUser,
      async committed() {
        if (made) await registrations.after(registration, made);
      },
    };
  };
}

function registrationOf({ tenant, client, connection, language, requester, transaction, event }: SignUpRequest) {
  const { password: _password, client_secret: _secret, ...body } = objectOf(event.details?.body);
  return {
    tenant,
    client,
    connection,
    request: { requester, method: 'POST', body, language },
    transaction,
    about: { ...event, details: {} },
  };
}

/** As the wire has it, for the rule that a password holds nothing personal. */
function ownerOf({ email, username, name, nickname, givenName, familyName, userMetadata }: NewDatabaseUser) {
  return {
    email,
    username,
    name,
    nickname,
    given_name: givenName,
    family_name: familyName,
    user_metadata: userMetadata,
  };
}
