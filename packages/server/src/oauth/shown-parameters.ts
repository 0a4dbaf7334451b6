/** What opens something is not for tenant code, which may send all that it is told to others. */
const SECRETS: ReadonlySet<string> = new Set([
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'id_token_hint',
  'login_ticket',
  'mfa_token',
  'oob_code',
  'binding_code',
  'otp',
  'password',
  'recovery_code',
  'refresh_token',
  'request',
  'subject_token',
]);

/** The parameters of a request as rules and actions see them. */
export function shownParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !SECRETS.has(name.toLowerCase()) && name !== '__proto__'),
  );
}
