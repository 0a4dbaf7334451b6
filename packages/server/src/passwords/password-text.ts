/** Long enough for any passphrase, short enough to be no burden on a channel or a log. */
export const MAX_PASSWORD_BYTES = 1_024;

/**
 * A password counts as the UTF-8 bytes that were sent; it is not normalised, since imported hashes were made from bytes as
 * given. NUL is refused because C implementations of bcrypt stop there ("secret\0anything" would open "secret"), a lone
 * surrogate because UTF-8 has no form for it and two passwords would become one.
 */
export function isUsablePassword(password: string): boolean {
  return (
    password.length > 0 &&
    password.length <= MAX_PASSWORD_BYTES &&
    Buffer.byteLength(password) <= MAX_PASSWORD_BYTES &&
    !password.includes('\0') &&
    password.isWellFormed()
  );
}
