import { digest, equalSecrets } from '../../kit/digest.ts';
import { oauthErrors } from '../oauth-errors.ts';

/** RFC 7636 section 4.1: 43 to 128 unreserved characters. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/** S256 only. A verifier without a challenge is refused too: somebody removed the challenge (RFC 9700 section 2.1.1). */
export function checkCodeVerifier(challenge: string | undefined, verifier: string | undefined): void {
  if (challenge === undefined && verifier === undefined) return;
  if (challenge === undefined || verifier === undefined || !VERIFIER.test(verifier)) throw oauthErrors.wrongVerifier();
  if (!equalSecrets(digest(verifier), challenge)) throw oauthErrors.wrongVerifier();
}
