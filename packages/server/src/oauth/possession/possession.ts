/** Keys that a request proved to hold: of a DPoP proof (RFC 9449), of a client certificate (RFC 8705). */
export interface Possession {
  /** RFC 7638 thumbprint of the proof's key. */
  readonly jkt: string | undefined;
  /** SHA-256 of the certificate, base64url. */
  readonly certificate: string | undefined;
}

/** The claim `cnf` of a token that is good only together with a key. */
export type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string };

export const NOTHING_PROVEN: Possession = { jkt: undefined, certificate: undefined };

/** RFC 9449 section 5: only a token that asks for a DPoP proof has this type; one bound to a certificate is a Bearer (RFC 8705). */
export function tokenTypeOf(confirmation: Confirmation | undefined): 'Bearer' | 'DPoP' {
  return confirmation !== undefined && 'jkt' in confirmation ? 'DPoP' : 'Bearer';
}

export function isConfirmedBy(confirmation: Confirmation, possession: Possession): boolean {
  return 'jkt' in confirmation
    ? confirmation.jkt === possession.jkt
    : confirmation['x5t#S256'] === possession.certificate;
}

/** The `cnf` of a token that we signed; false for one that we can't check, which must open nothing (RFC 7800 section 3.1). */
export function readConfirmation(cnf: unknown): Confirmation | undefined | false {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null) return false;
  if ('jkt' in cnf && typeof cnf.jkt === 'string') return { jkt: cnf.jkt };
  const thumbprint = 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined;
  return typeof thumbprint === 'string' ? { 'x5t#S256': thumbprint } : false;
}

/** As a column holds it. */
export function confirmationToText(confirmation: Confirmation | undefined): string | null {
  if (confirmation === undefined) return null;
  return 'jkt' in confirmation ? `jkt ${confirmation.jkt}` : `x5t#S256 ${confirmation['x5t#S256']}`;
}

export function confirmationFromText(text: string | null): Confirmation | undefined {
  if (text === null) return undefined;
  const [method, thumbprint = ''] = text.split(' ');
  return method === 'jkt' ? { jkt: thumbprint } : { 'x5t#S256': thumbprint };
}
