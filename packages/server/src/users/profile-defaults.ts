import { createHash } from 'node:crypto';

interface Named {
  readonly email: string | undefined;
  readonly username: string | undefined;
  readonly phoneNumber: string | undefined;
}

/** How Auth0 names and pictures a user who came without: by e-mail, its local part, and an avatar of it. */
export function profileDefaults({ email, username, phoneNumber }: Named): {
  name: string | undefined;
  nickname: string | undefined;
  picture: string | undefined;
} {
  const label = email ?? username ?? phoneNumber;
  return {
    name: label,
    nickname: email === undefined ? label : (username ?? localPart(email)),
    picture: label === undefined ? undefined : avatar(label),
  };
}

/** The avatar service is asked by browsers only; where it knows no picture it forwards to one with the initials. */
function avatar(label: string): string {
  const initials = /^[a-z0-9]{2}/.exec(localPart(label))?.[0] ?? /[a-z0-9]/.exec(label)?.[0] ?? 'default';
  const fallback = encodeURIComponent(`https://cdn.auth0.com/avatars/${initials}.png`);
  return `https://s.gravatar.com/avatar/${createHash('md5').update(label).digest('hex')}?s=480&r=pg&d=${fallback}`;
}

function localPart(email: string): string {
  const at = email.lastIndexOf('@');
  return at < 0 ? email : email.slice(0, at);
}
