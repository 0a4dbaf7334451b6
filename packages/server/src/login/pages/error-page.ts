import { clip, type Page } from './page.ts';
import { fillScreen } from './page-texts.ts';
import { link } from './safe-url.ts';

export type ErrorReason =
  | 'invalid-request'
  | 'unknown-client'
  | 'callback-mismatch'
  | 'logout-url-mismatch'
  | 'access-denied'
  | 'transaction-expired'
  | 'cookies-missing'
  | 'not-found'
  | 'too-many-requests'
  | 'temporarily-unavailable'
  | 'server-error';

export interface ErrorModel {
  readonly reason: ErrorReason;
  /** Replaces the reason's own sentence, for example with the text of a rule's UnauthorizedError. */
  readonly description?: string;
  /** The tracking id: what a user tells support, and what finds the event in the log. */
  readonly reference: string;
  /** A declared error in the words of its API. Never the message of an exception. */
  readonly details?: { readonly error: string; readonly description: string };
  readonly clientName?: string;
  /** Where the application lives, from its registration, never from the failed request. */
  readonly clientUrl?: string;
}

export const errorPage: Page<ErrorModel> = {
  template: 'error',
  policy: { scripts: 'none', hasForm: false, tellsOrigin: false },
  view(model, texts, brand) {
    const clientName = model.clientName === undefined ? texts.error.error.anotherApplication : clip(model.clientName);
    const values = { clientName, companyName: brand.tenantName };
    const screen = fillScreen(texts.error.error, values);
    const reason = fillScreen(texts.error.error[model.reason], values);
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: null,
      title: reason.title,
      description: model.description === undefined ? reason.description : clip(model.description, 500),
      action: reason.action,
      reference: clip(model.reference, 64),
      details:
        model.details === undefined
          ? null
          : { error: clip(model.details.error, 120), description: clip(model.details.description, 1_000) },
      clientUrl: link(model.clientUrl) ?? null,
      supportUrl: brand.supportUrl,
    };
  },
};
