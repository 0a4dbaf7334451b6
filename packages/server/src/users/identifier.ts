// What a person types to say who they are. One person must not be two because of case, width or look-alike forms
// (attacks L2), so every identifier is brought into one form before it is stored, compared or counted.

const LONGEST_EMAIL = 254;
const LONGEST_IDENTIFIER = 320;

/** The form in which identifiers are stored and compared: NFKC, lower case, trimmed. Undefined for what can be none. */
export function normaliseIdentifier(text: string): string | undefined {
  if (text.length > LONGEST_IDENTIFIER || !text.isWellFormed()) return undefined;
  // Lower case may leave a decomposed form (İ), so the normal form is taken once more.
  const normal = text.normalize('NFKC').toLowerCase().normalize('NFKC').trim();
  return normal === '' || normal.length > LONGEST_IDENTIFIER || hasControl(normal) ? undefined : normal;
}

/** An e-mail address in its one form, or undefined where the text is no address that mail can go to. */
export function normaliseEmail(text: string): string | undefined {
  const normal = normaliseIdentifier(text);
  return normal !== undefined && isEmail(normal) ? normal : undefined;
}

const USERNAME = /^[\p{L}\p{N}_+\-.!#$'^`~@]+$/u;
const PHONE = /^\+[0-9]{1,15}$/;

/** Letters, digits and `_+-.!#$'^`~@`, the signs that Auth0 allows. */
export function normaliseUsername(text: string): string | undefined {
  const normal = normaliseIdentifier(text);
  return normal !== undefined && USERNAME.test(normal) ? normal : undefined;
}

export function normalisePhone(text: string): string | undefined {
  const normal = normaliseIdentifier(text)?.replace(/[\s().-]/g, '');
  return normal !== undefined && PHONE.test(normal) ? normal : undefined;
}

/** RFC 5321 4.5.3.1 for the lengths; quoted local parts and address literals are refused, as mail senders do. */
function isEmail(text: string): boolean {
  if (text.length > LONGEST_EMAIL) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (at < 1 || local.length > 64 || local.startsWith('.') || local.endsWith('.') || local.includes('..')) return false;
  if (!/^[^\s"(),:;<>@[\\\]]+$/u.test(local)) return false;
  const labels = domain.split('.');
  return (
    labels.length > 1 &&
    labels.every((label) => /^[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u.test(label))
  );
}

function hasControl(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}
