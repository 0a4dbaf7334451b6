import type { Operation } from './catalogue.ts';

/** What the log calls an operation, `Create a role`: listed where the words differ from verb and noun. */
export function titleOf({ name, resource, action }: Operation): string {
  const words = wordsOf(action);
  if (TITLES[name] !== undefined) return TITLES[name];
  // `updateFcmv1Provider` names its object itself.
  return words.includes(' ') ? capitalized(words) : `${verbOf(action)} ${nounOf(resource)}`;
}

const TITLES: Readonly<Record<string, string>> = {
  'PATCH /tenants/settings': 'Update tenant settings',
  'POST /clients/{id}/rotate-secret': 'Rotate a client secret',
  'PATCH /connections/{id}/clients': 'Update enabled clients for a connection',
  'DELETE /connections/{id}/users': 'Delete a connection user',
  'POST /keys/signing/rotate': 'Rotate the Application Signing Key',
  'PUT /keys/signing/rotate': 'Rotate the Application Signing Key',
  'POST /keys/signing/{kid}/revoke': 'Revoke an Application Signing Key by its key id',
  'PUT /keys/signing/{kid}/revoke': 'Revoke an Application Signing Key by its key id',
  'POST /roles/{id}/permissions': 'Associate permissions with a role',
  'DELETE /roles/{id}/permissions': 'Remove permissions from a role',
  'POST /roles/{id}/users': 'Assign users to a role',
  'POST /users/{id}/roles': 'Assign roles to a user',
  'DELETE /users/{id}/roles': 'Remove roles from a user',
  'POST /users/{id}/permissions': 'Assign permissions to a user',
  'DELETE /users/{id}/permissions': 'Remove permissions from a user',
  'POST /users/{id}/identities': 'Link a user account',
  'DELETE /users/{id}/identities/{provider}/{user_id}': 'Unlink a user identity',
  'DELETE /users/{id}/multifactor/{provider}': "Delete a user's multi-factor provider",
  'POST /actions/actions/{id}/deploy': 'Deploy an action',
  'PATCH /actions/triggers/{trigger_id}/bindings': 'Update trigger bindings',
  'PATCH /gatewright/alerts/{id}': 'Mute an alert',
  'PUT /gatewright/alert-settings': 'Update alert settings',
};

const VERBS: Readonly<Record<string, string>> = { get: 'Get', list: 'Get', set: 'Set', replace: 'Set' };
const IRREGULAR: Readonly<Record<string, string>> = {
  keys: 'key',
  addresses: 'address',
  settings: 'settings',
  branding: 'branding',
};

function verbOf(action: string): string {
  return VERBS[action] ?? capitalized(wordsOf(action));
}

/** `clients.credentials` → `a client credential` */
function nounOf(resource: string): string {
  const words = resource
    .split('.')
    .map((part) => singular(wordsOf(part)))
    .join(' ');
  return `${/^[aeio]/.test(words) ? 'an' : 'a'} ${words}`;
}

/** `resourceServers` → `resource servers` */
function wordsOf(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function singular(words: string): string {
  const known = IRREGULAR[words];
  if (known !== undefined) return known;
  if (words.endsWith('ies')) return `${words.slice(0, -3)}y`;
  return words.endsWith('s') && !words.endsWith('ss') ? words.slice(0, -1) : words;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
