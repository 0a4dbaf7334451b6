const MASK = '*****';
/** Each pattern is linear: no two quantifiers in it can match the same characters. */
const PARAMETER =
  /([?&#;\s]|^)(password|new_password|client_secret|client_assertion|assertion|refresh_token|access_token|id_token|id_token_hint|mfa_token|otp|code|code_verifier|subject_token|actor_token|device_code|ticket|token)=([^&#;\s"']+)/gi;
const SCHEME = /\b(Bearer|Basic|DPoP)[ ]+[A-Za-z0-9._~+/=-]{8,}/gi;
const JWT = /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}/g;
const PRIVATE_KEY = /-----BEGIN ([A-Z ]{0,20}PRIVATE KEY)-----[^-]*(?:-----END [A-Z ]{0,30}-----)?/g;
const CREDENTIALS_IN_URL = /(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}@/g;

/** Masks secrets that stand inside a text: parameters of an address, an authorization header, a token, a private key. */
export function maskSecretText(text: string): string {
  if (text.length < 6) return text;
  let masked = text;
  if (text.includes('=')) masked = masked.replace(PARAMETER, `$1$2=${MASK}`);
  if (text.includes(' ')) masked = masked.replace(SCHEME, `$1 ${MASK}`);
  if (text.includes('eyJ')) masked = masked.replace(JWT, MASK);
  if (text.includes('PRIVATE KEY')) masked = masked.replace(PRIVATE_KEY, `-----BEGIN $1----- ${MASK}`);
  if (text.includes('@') && text.includes('://')) masked = masked.replace(CREDENTIALS_IN_URL, `$1${MASK}@`);
  return masked;
}
