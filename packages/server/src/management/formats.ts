import { isIP } from 'node:net';

type Check = (text: string) => boolean;

/** The formats that the catalogue names; others (forms, flows, vaults …) are tolerated until their domain is built. */
export const formats: Readonly<Record<string, Check>> = {
  'date-time': (text) => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text) && isDate(text),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && isDate(text),
  email: isEmail,
  'email-or-empty': (text) => text === '' || isEmail(text),
  uri: isUri,
  url: isUri,
  'url-or-null': isUri,
  'strict-uri': isUri,
  'strict-https-uri': isHttpsUri,
  'strict-https-uri-or-null': isHttpsUri,
  'absolute-uri-or-empty': (text) => text === '' || isUri(text),
  'absolute-https-uri-or-empty': (text) => text === '' || isHttpsUri(text),
  'absolute-https-uri-with-placeholders-or-empty': (text) =>
    text === '' || isHttpsUri(text.replace(/\{[^{}]*\}/g, 'x')),
  hostname: isHostname,
  'hostname-rfc2181': isHostname,
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
  cidr: isCidr,
  ipv6_cidr: isCidr,
  'html-color': isColor,
  'html-color-or-null': isColor,
  uuid: (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
  hexadecimal: (text) => /^[0-9a-f]*$/i.test(text),
  'non-empty-string': (text) => text !== '',
  'organization-name': (text) => /^[a-z0-9][a-z0-9_-]{0,49}$/.test(text),
  'connection-id': (text) => /^con_[A-Za-z0-9]{16}$/.test(text),
  'organization-id': (text) => /^org_[A-Za-z0-9]{16}$/.test(text),
};

const MAX_EMAIL = 320;
const MAX_URI = 4_096;

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** One `@` between two parts without blanks: whether the address exists, only a mail can tell. */
function isEmail(text: string): boolean {
  return text.length <= MAX_EMAIL && /^[^\s@<>"]+@[^\s@<>"]+$/.test(text);
}

function isUri(text: string): boolean {
  return text.length <= MAX_URI && /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(text) && URL.canParse(text);
}

function isHttpsUri(text: string): boolean {
  return isUri(text) && new URL(text).protocol === 'https:';
}

function isHostname(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text);
}

function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isColor(text: string): boolean {
  return /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(text) || /^[a-z]{3,30}$/i.test(text);
}
