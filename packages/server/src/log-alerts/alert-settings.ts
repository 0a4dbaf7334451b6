/** Who is told of alerts. */
export interface AlertSettings {
  readonly webhook: { readonly url: string; readonly format: 'json' | 'slack' } | undefined;
  /** There is a webhook whose address or secret can't be decrypted: it gets nothing until it is entered again. */
  readonly isWebhookLost: boolean;
  readonly mailTo: readonly string[];
}

export const NOBODY: AlertSettings = { webhook: undefined, isWebhookLost: false, mailTo: [] };

const MASKED_PATH = '/*****';

/** Where alerts go, without what may be a password: path and query. */
export function maskAddress(url: string): string {
  const { origin, pathname, search, hash } = new URL(url);
  return pathname === '/' && search === '' && hash === '' ? url : origin + MASKED_PATH;
}

export function isMaskedAddress(url: string): boolean {
  return new URL(url).pathname === MASKED_PATH;
}
