import type { IncomingHttpHeaders } from 'node:http';
import { chooseLanguage, parseAcceptLanguage, parseUiLocales } from '../login/pages/page-language.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import { mailLanguages } from './mail-texts.ts';

/**
 * The language of a mail that a request causes: what the request asks for (`ui_locales`, X-Request-Language, then the
 * browser's), of those that the tenant enabled and that there are texts for; else the tenant's first.
 */
export function mailLanguage(tenant: Tenant, headers: IncomingHttpHeaders = {}, uiLocales?: string): string {
  const named = headers['x-request-language'];
  const wanted = [
    ...parseUiLocales(uiLocales),
    ...parseAcceptLanguage(typeof named === 'string' ? named : undefined),
    ...parseAcceptLanguage(headers['accept-language']),
  ];
  const offered = settingsOf(tenant).enabledLocales.filter((locale) => mailLanguages.has(primary(locale)));
  return primary(chooseLanguage(wanted, offered));
}

function primary(locale: string): string {
  return locale.split('-', 1)[0]?.toLowerCase() ?? '';
}
