import type { Json } from '../../kit/json-values.ts';

/** `event.transaction` of a login at the browser, from the parameters of its request. */
export function transactionPart(parameters: Readonly<Record<string, string | undefined>>, protocol?: string): Json {
  const { scope, state, prompt, login_hint, redirect_uri, response_mode, response_type, acr_values, ui_locales } =
    parameters;
  const locales = wordsOf(ui_locales);
  return {
    acr_values: wordsOf(acr_values),
    locale: locales[0] ?? 'en',
    ...(login_hint && { login_hint }),
    prompt: wordsOf(prompt),
    ...(protocol && { protocol }),
    ...(redirect_uri && { redirect_uri }),
    requested_scopes: wordsOf(scope),
    ...(response_mode && { response_mode }),
    response_type: wordsOf(response_type),
    ...(state && { state }),
    ui_locales: locales,
  };
}

const LONGEST_KEY = 64;
const LONGEST_VALUE = 8_192;
const MOST_BYTES = 16_384;

/** `api.transaction.setMetadata`: it waits with the login while the user is elsewhere. What does not fit stays as it was; null deletes. */
export function noteInTransaction(metadata: Json, key: string, value: unknown): Json {
  const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  if (!isPlain || key === '' || key.length > LONGEST_KEY || String(value).length > LONGEST_VALUE) return metadata;
  const others = Object.entries(metadata).filter(([name]) => name !== key);
  const after = Object.fromEntries(value === null ? others : [...others, [key, value]]);
  return JSON.stringify(after).length > MOST_BYTES ? metadata : after;
}

function wordsOf(text: string | undefined): readonly string[] {
  return text?.split(/\s+/).filter(Boolean) ?? [];
}
