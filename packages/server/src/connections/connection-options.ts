import { type ConnectionOptions, connectionErrors, type Members, member } from './connection.ts';
import { checkScripts } from './custom-database.ts';

/** Auth0 fills these into a new directory's options; what the caller gives wins, member by member. */
const NEW_DIRECTORY: ConnectionOptions = {
  mfa: { active: true, return_enroll_settings: true },
  passwordPolicy: 'good',
  passkey_options: { challenge_ui: 'both', local_enrollment_enabled: true, progressive_enrollment_enabled: true },
  strategy_version: 2,
  authentication_methods: { passkey: { enabled: false }, password: { enabled: true } },
  brute_force_protection: true,
};

export function optionsOfNewDirectory(given: ConnectionOptions): ConnectionOptions {
  return checkOptions({ ...NEW_DIRECTORY, ...given });
}

/** The rules between options that the catalogue's schema can't say; the texts are Auth0's. */
export function checkOptions(options: ConnectionOptions): ConnectionOptions {
  const attributes = member(options, 'attributes');
  if (attributes) checkAttributes(options, attributes);
  const bounds = member(member(options, 'validation'), 'username');
  if (bounds && typeof bounds.min === 'number' && typeof bounds.max === 'number' && bounds.min > bounds.max) {
    throw connectionErrors.invalid({ reason: 'options.validation.username.min must not be greater than max' });
  }
  checkScripts(options);
  return options;
}

function checkAttributes(options: ConnectionOptions, attributes: Members): void {
  if ('requires_username' in options) {
    throw connectionErrors.invalid({ reason: 'Cannot set both options.attributes and options.requires_username' });
  }
  if (options.validation !== undefined && options.validation !== null) {
    throw connectionErrors.invalid({ reason: 'Cannot set both options.attributes and options.validation' });
  }
  let identifiers = 0;
  for (const name of ['email', 'username', 'phone_number']) {
    const attribute = member(attributes, name);
    if (member(attribute, 'identifier')?.active !== true) continue;
    identifiers += 1;
    if (attribute?.profile_required === true && member(attribute, 'signup')?.status !== 'required') {
      throw connectionErrors.invalid({ reason: `attribute ${name} must also be required on signup` });
    }
  }
  if (identifiers === 0) throw connectionErrors.invalid({ reason: 'attributes must contain one active identifier' });
  // An e-mail names one user of a directory here: the database keeps it.
  if (member(attributes, 'email')?.unique === false) {
    throw connectionErrors.invalid({ reason: 'cannot add non-unique email attribute' });
  }
}
