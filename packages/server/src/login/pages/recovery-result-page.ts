import { clip, type Page } from './page.ts';
import { fillScreen, type Texts } from './page-texts.ts';
import { link } from './safe-url.ts';

export type RecoveryResult =
  | 'password-changed'
  | 'reset-link-invalid'
  | 'reset-link-expired'
  | 'email-verified'
  | 'email-already-verified'
  | 'verification-link-invalid'
  | 'verification-link-expired';

export interface RecoveryResultModel {
  readonly result: RecoveryResult;
  readonly clientName?: string;
  /** The login that the user left for this. */
  readonly loginUrl?: string;
  /** Where the application lives, from its registration. */
  readonly clientUrl?: string;
}

/** How a link ended, and a way back to the application. */
export const recoveryResultPage: Page<RecoveryResultModel> = {
  template: 'recovery-result',
  screen: ['reset-password', 'reset-password-success'],
  policy: { scripts: 'none', hasForm: false, tellsOrigin: false },
  view(model, texts, brand) {
    const values = { clientName: clip(model.clientName ?? brand.tenantName), companyName: brand.tenantName };
    const { pageTitle, title, description, loginText, buttonText } = wordsOf(model.result, texts, values);
    const loginUrl = link(model.loginUrl) ?? null;
    return {
      pageTitle,
      title,
      description,
      logoUrl: null,
      isDone: DONE.has(model.result),
      next: loginUrl === null ? buttonText : loginText,
      nextUrl: loginUrl ?? link(model.clientUrl) ?? null,
    };
  },
};

const DONE: ReadonlySet<RecoveryResult> = new Set(['password-changed', 'email-verified', 'email-already-verified']);

function wordsOf(result: RecoveryResult, texts: Texts, values: Readonly<Record<string, string>>) {
  const success = fillScreen(texts['reset-password']['reset-password-success'], values);
  const failure = fillScreen(texts['reset-password']['reset-password-error'], values);
  const verified = fillScreen(texts['email-verification']['email-verification-result'], values);
  const unverified = { ...verified, pageTitle: verified.errorPageTitle, description: verified.errorDescription };
  switch (result) {
    case 'password-changed':
      return success;
    case 'reset-link-invalid':
      return failure;
    case 'reset-link-expired':
      return { ...failure, title: failure.eventTitleExpired };
    case 'email-verified':
      return { ...verified, title: verified.verifiedTitle, description: verified.verifiedDescription };
    case 'email-already-verified':
      return { ...verified, title: verified.alreadyVerifiedTitle, description: verified.alreadyVerifiedDescription };
    case 'verification-link-expired':
      return { ...unverified, title: verified.expiredTitle };
    default:
      return { ...unverified, title: verified.invalidTitle };
  }
}
