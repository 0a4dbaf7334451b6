import type { Response } from 'light-my-request';
import { operationNamed } from '../../src/management/catalogue.ts';
import { codeThingsNamed } from '../management/code-examples.ts';
import { examplesFor } from '../management/examples.ts';
import type { Home, Things } from '../management/inhabited-tenant.ts';

// biome-ignore format: words, not a list of lines
const THINGS = [
  'client', 'credential', 'grant', 'profile', 'exchangeAction', 'api', 'identifier', 'permission', 'connection', 'connectionName', 'user', 'email', 'consent',
  'role', 'key', 'previousKey', 'log', 'theme', 'customDomain', 'ownHost', 'person', 'secondary', 'session', 'refreshToken', 'job', 'alert',
  'logStream',
] as const satisfies readonly (keyof Things)[];

/** Every operation of the Management API that is built. */
export const names: readonly string[] = Object.keys(examplesFor(thingsNamed('')));

/** What a stranger's token gets for things that it doesn't see, where that is not a 404. */
export const ANSWERS_TO_STRANGERS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(names.filter((name) => !name.includes('{')).map((name) => [name, operationNamed(name).status])),
  // The catalogue knows no 404 for it.
  'DELETE /custom-domains/{id}': 204,
  'PATCH /custom-domains/default': 400,
  // Their bodies name a client and a connection of the owner.
  'POST /client-grants': 404,
  'POST /users': 400,
  'POST /tickets/password-change': 404,
  'POST /tickets/email-verification': 404,
  'POST /jobs/verification-email': 404,
  // Nobody is looked up: no events of the stranger's tenant are about that id.
  'GET /users/{id}/logs': 200,
  // To end what is not there is no mistake.
  'DELETE /users/{id}': 204,
  'DELETE /clients/{id}': 204,
  'DELETE /client-grants/{id}': 204,
  'DELETE /token-exchange-profiles/{id}': 204,
  'POST /token-exchange-profiles': 400,
  'DELETE /connections/{id}': 202,
  'DELETE /sessions/{id}': 202,
  'DELETE /refresh-tokens/{id}': 204,
  'DELETE /device-credentials/{id}': 204,
  'POST /device-credentials': 403,
  'DELETE /resource-servers/{id}': 204,
  'DELETE /grants/{id}': 204,
  'DELETE /rules/{id}': 204,
  'DELETE /rules-configs/{key}': 204,
  // Triggers and keys of one's own, whatever others have.
  'PUT /rules-configs/{key}': 200,
  'GET /actions/triggers/{trigger_id}/bindings': 200,
  // Its body names an action of the owner.
  'PATCH /actions/triggers/{trigger_id}/bindings': 400,
  // The stranger has a theme of its own.
  'POST /branding/themes': 409,
  ...Object.fromEntries(names.filter((name) => name.includes('/prompts/{prompt}')).map((name) => [name, 200])),
};

/** Names of the owner's things that an answer gives away; what the request itself said does not count. */
export function thingsIn({ body, statusCode }: Response, home: Home): string[] {
  if (statusCode >= 400) return [];
  // A key is chosen by its owner, and others may choose the same; a host may be the end of another's.
  const { configKey: _configKey, ...code } = home.code;
  const owned = [...THINGS.filter((name) => name !== 'ownHost').map((name) => home[name]), ...Object.values(code)];
  return owned.filter((thing) => body.includes(thing));
}

function thingsNamed(text: string): Things {
  const named = Object.fromEntries(THINGS.map((name) => [name, text])) as Record<(typeof THINGS)[number], string>;
  return { ...named, code: codeThingsNamed(text) };
}
