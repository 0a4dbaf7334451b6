import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import { type HookRunner, hookFailure } from '../../hooks/run-hook.ts';
import { defineErrors } from '../../kit/errors.ts';
import { isObject, type Json, objectOf, textOf } from '../../kit/json-values.ts';
import type { AuditEvent } from '../../logs/event.ts';
import { describedAs, explained } from '../../logs/explain-error.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { NewDatabaseUser } from '../../users/create-user.ts';
import { fitsCode, MOST_BYTES_OF_CODE } from '../../users/metadata.ts';
import { type Metadata, type User, userNameOf } from '../../users/user.ts';
import type { DeployedActions } from '../deployed-actions.ts';
import type { ActionCommand } from './action-commands.ts';
import { clientPart, connectionPart, type RequestPart, requestPart, tenantPart, userPart } from './event-parts.ts';
import { hookContext, hookUser, newHookUser } from './hook-user.ts';
import { failedAction, namedAction } from './named-action.ts';
import type { RunAfterwards } from './run-afterwards.ts';
import type { RunTrigger } from './run-trigger.ts';

/** Somebody signs up, or is created. */
export interface Registration {
  readonly tenant: Tenant;
  /** The application at which somebody signs up; none where the Management API creates a user. */
  readonly client: Client | undefined;
  readonly connection: Connection;
  /** Without the password. */
  readonly request: RequestPart;
  /** The login that the sign-up belongs to. */
  readonly transaction?: Json | undefined;
  readonly about: Omit<AuditEvent, 'type'>;
}

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly hooks: HookRunner;
  readonly runAfterwards: RunAfterwards;
}

export type Registrations = ReturnType<typeof createRegistrations>;

const BEFORE = 'pre-user-registration';
const LONGEST_MESSAGE = 1_000;

export const registrationErrors = defineErrors({
  denied: { status: 400, code: 'extensibility_error', message: '{reason}' },
  failed: { status: 400, code: 'extensibility_error', message: 'The registration could not be completed.' },
  metadataTooLarge: {
    status: 400,
    code: 'extensibility_error',
    message: 'The registration could not be completed: its {name} is too large.',
  },
});

/** pre-user-registration and post-user-registration, hooks before actions: for sign-ups and POST /users, and for no other way in which users come to be. */
export function createRegistrations({ deployed, runTrigger, hooks, runAfterwards }: Parts) {
  /** The new user with the metadata that code adds, or a refusal in its words. Nothing is stored yet. */
  async function before(
    registration: Registration,
    input: NewDatabaseUser,
    password: string,
  ): Promise<NewDatabaseUser> {
    const { tenant } = registration;
    const actions = await deployed.atTrigger(tenant.tenantId, BEFORE);
    const hooked = await runHookBefore(registration, input, password);
    if (actions.length === 0) return hooked;
    const event = {
      ...eventOf(registration),
      user: newUserPart(hooked),
      ...(registration.client && { client: clientPart(registration.client) }),
    };
    const { executionId, commands, failure, withoutSecrets } = await runTrigger({
      tenant,
      triggerId: BEFORE,
      actions,
      input: { event },
      about: registration.about,
    });
    const executions = { actions: { executions: [executionId] } };
    if (failure) throw explained(registrationErrors.failed(), { ...executions, ...failedAction(failure) });
    const asked = commands.reduce(
      (user, command) => apply(user, command, { ...executions, ...namedAction(actions, command) }, withoutSecrets),
      hooked,
    );
    return bearable(input, asked, executions);
  }

  async function runHookBefore(
    registration: Registration,
    input: NewDatabaseUser,
    password: string,
  ): Promise<NewDatabaseUser> {
    const { tenant } = registration;
    if (!(await hooks.isUsed(tenant.tenantId, BEFORE))) return input;
    const user = { ...newHookUser(tenant, input), password };
    const outcome = await hooks.run(tenant, BEFORE, [user, hookContext(registration)], registration.about);
    if (!outcome) return input;
    const { hook } = outcome;
    if (outcome.ok) {
      const asked = withMetadata(input, objectOf(objectOf(outcome.answer).user));
      return bearable(input, asked, { hook: { id: hook.id, name: hook.name } });
    }
    const { failure } = outcome;
    const { error } = failure;
    const details = { hook: hookFailure(hook, failure) };
    if (error?.name !== 'PreUserRegistrationError') throw explained(registrationErrors.failed(), details);
    throw explained(describedAs(denied(error.description), denied(failure.logged?.description).message), details);
  }

  /** After the commit; nobody waits for it, and what goes wrong stands in the log. */
  function after(registration: Registration, user: User): Promise<void> {
    return runAfterwards({
      tenant: registration.tenant,
      triggerId: 'post-user-registration',
      event: { ...eventOf(registration, false), user: userPart(user) },
      given: [hookUser(registration.tenant, user), hookContext(registration)],
      hookFailed: 'postRegistrationHookFailed',
      about: {
        ...registration.about,
        strategy: registration.connection.strategy,
        strategyType: 'database',
        userId: user.userId,
        userName: userNameOf(user),
      },
    });
  }

  return { before, after };
}

function eventOf({ tenant, connection, request, transaction }: Registration, hasBody = true): Json {
  const { body, ...rest } = request;
  return {
    connection: connectionPart(connection),
    request: requestPart(hasBody && body ? { ...rest, body } : rest),
    tenant: tenantPart(tenant),
    ...(transaction && { transaction }),
  };
}

function newUserPart(user: NewDatabaseUser): Json {
  const { email, familyName, givenName, name, nickname, phoneNumber, picture, username } = user;
  const told = {
    email,
    family_name: familyName,
    given_name: givenName,
    name,
    nickname,
    phone_number: phoneNumber,
    picture,
    username,
    app_metadata: user.appMetadata ?? {},
    user_metadata: user.userMetadata ?? {},
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

function apply(
  user: NewDatabaseUser,
  { name, arguments: given }: ActionCommand,
  why: Json,
  withoutSecrets: (text: string) => string,
): NewDatabaseUser {
  const [first, second] = given;
  const refuse = (member: 'reason' | 'code'): never => {
    const error = denied(textOf(second));
    const told = withoutSecrets(bounded(textOf(first)) ?? '');
    throw explained(describedAs(error, withoutSecrets(error.message)), { ...why, ...(told && { [member]: told }) });
  };
  if (name === 'access.deny') refuse('reason');
  if (name === 'validation.error') refuse('code');
  if (typeof first !== 'string') return user;
  if (name === 'user.setUserMetadata') return { ...user, userMetadata: changed(user.userMetadata, first, second) };
  if (name === 'user.setAppMetadata') return { ...user, appMetadata: changed(user.appMetadata, first, second) };
  return user;
}

function changed(metadata: Metadata | undefined, key: string, value: unknown): Metadata {
  const others = Object.entries(metadata ?? {}).filter(([name]) => name !== key);
  return Object.fromEntries(value === null ? others : [...others, [key, value]]);
}

/** Code is not to make a profile large (requirement RUL.29), and no script of a directory sees what could not be stored. */
function bearable(before: NewDatabaseUser, after: NewDatabaseUser, why: Json): NewDatabaseUser {
  const large = (['userMetadata', 'appMetadata'] as const).find(
    (name) => after[name] !== before[name] && !fitsCode(before[name] ?? {}, after[name] ?? {}),
  );
  if (large === undefined) return after;
  const error = `${WIRE[large]} is larger than ${MOST_BYTES_OF_CODE} bytes, or can not be stored`;
  throw explained(registrationErrors.metadataTooLarge({ name: WIRE[large] }), { ...why, error });
}

const WIRE = { userMetadata: 'user_metadata', appMetadata: 'app_metadata' } as const;

/** What a hook answers takes the place of what it was given. */
function withMetadata(input: NewDatabaseUser, answer: Json): NewDatabaseUser {
  const { user_metadata: userMetadata, app_metadata: appMetadata } = answer;
  return {
    ...input,
    ...(isObject(userMetadata) && { userMetadata: checked(userMetadata) }),
    ...(isObject(appMetadata) && { appMetadata: checked(appMetadata) }),
  };
}

function checked(metadata: Metadata): Metadata {
  const wrong = Object.keys(metadata).find((key) => key.includes('.') || key.startsWith('$'));
  if (wrong === undefined) return metadata;
  throw explained(registrationErrors.failed(), { hook: { error: `Metadata can not have the key ${bounded(wrong)}` } });
}

function denied(userMessage: string | undefined) {
  const text = bounded(userMessage)?.trim();
  if (!text) return registrationErrors.failed();
  return registrationErrors.denied({ reason: text }, { extra: { friendly_message: text } });
}

function bounded(text: string | undefined): string | undefined {
  return text?.slice(0, LONGEST_MESSAGE);
}
