import { flagOf, type Json, textOf } from '../../kit/json-values.ts';
import { storableText } from '../../users/create-user.ts';
import { normaliseEmail, normalisePhone, normaliseUsername } from '../../users/identifier.ts';
import { asIdentity, isMain, profileOf } from '../../users/identity-profile.ts';
import type { Identity, Metadata, User } from '../../users/user.ts';
import { exchangeErrors } from './exchange-errors.ts';

export const TEXTS = [
  ['name', 'name'],
  ['nickname', 'nickname'],
  ['given_name', 'givenName'],
  ['family_name', 'familyName'],
  ['picture', 'picture'],
] as const;

interface Replacement {
  readonly profile: Json;
  /** Whose profile it is: an identity of this connection. */
  readonly connectionId: string;
  readonly id: string;
}

interface Replaced {
  readonly user: User;
  /** Of a linked identity: the user itself is named as before. */
  readonly linked: { readonly identity: Identity; readonly profile: Metadata } | undefined;
}

const LONGEST_TEXT = 2_048;

/**
 * `updateBehavior: 'replace'`: names and picture are those that the action gives, and no others. By what somebody logs in
 * and is found does not change here: an address that a token of somewhere else tells would else take over an account.
 */
export function replaceProfile(user: User, { profile, connectionId, id }: Replacement): Replaced {
  const identity = user.identities.find((one) => one.connectionId === connectionId && one.userId === id);
  if (!identity) throw exchangeErrors.noUser();
  const known = asIdentity(user, identity);
  const other = IDENTIFIERS.find((name) => profile[name] !== undefined && !isKnown(known, name, profile));
  if (other !== undefined) throw exchangeErrors.identifierDiffers({ name: other });
  const texts = TEXTS.map(([wire, name]) => [name, storableText(wire, textOf(profile[wire])?.slice(0, LONGEST_TEXT))]);
  const after = { ...known, ...Object.fromEntries(texts) };
  return isMain(user, identity)
    ? { user: after, linked: undefined }
    : { user, linked: { identity, profile: profileOf(after) } };
}

const IDENTIFIERS = ['email', 'email_verified', 'phone_number', 'phone_verified', 'username'] as const;

function isKnown(known: User, name: (typeof IDENTIFIERS)[number], profile: Json): boolean {
  const text = textOf(profile[name]) ?? '';
  switch (name) {
    case 'email':
      return normaliseEmail(text) === known.email;
    case 'phone_number':
      return normalisePhone(text) === known.phoneNumber;
    case 'username':
      return normaliseUsername(text) === known.username;
    case 'email_verified':
      return flagOf(profile[name]) === known.emailVerified;
    case 'phone_verified':
      return flagOf(profile[name]) === known.phoneVerified;
  }
}
