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

function wordsOf(text: string | undefined): readonly string[] {
  return text?.split(/\s+/).filter(Boolean) ?? [];
}
