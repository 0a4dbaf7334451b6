import { clip, type Page } from './page.ts';
import { fillScreen, type Texts } from './page-texts.ts';
import { imageUrl, localPath } from './safe-url.ts';

export interface ConsentModel {
  /** The path that the form is posted to. Fields: state, _csrf, scope, action (accept or decline). */
  readonly action: string;
  readonly state: string;
  readonly csrfToken: string;
  readonly clientName: string;
  readonly clientLogoUrl?: string;
  /** Who is asked. */
  readonly userName: string;
  /** Left out where the application asks for the profile alone. */
  readonly apiName?: string;
  /** All that is asked for; those of the API with its own words. */
  readonly scopes: readonly { readonly value: string; readonly description?: string }[];
}

const MOST_LINES = 100;

export const consentPage: Page<ConsentModel> = {
  template: 'consent',
  screen: ['consent', 'consent'],
  policy: { scripts: 'static', hasForm: true, tellsOrigin: false },
  view(model, texts, brand) {
    const screen = fillScreen(texts.consent.consent, {
      clientName: clip(model.clientName),
      companyName: brand.tenantName,
      userName: clip(model.userName),
      apiName: clip(model.apiName ?? ''),
    });
    const own = model.scopes.filter(({ description }) => description === undefined);
    const ofApi = model.scopes.flatMap(({ description }) =>
      description === undefined ? [] : [clip(description, 300)],
    );
    return {
      pageTitle: screen.pageTitle,
      screen,
      logoUrl: imageUrl(model.clientLogoUrl) ?? null,
      action: localPath(model.action) ?? '',
      hidden: [
        { name: 'state', value: model.state },
        { name: '_csrf', value: model.csrfToken },
        { name: 'scope', value: model.scopes.map(({ value }) => value).join(' ') },
      ],
      profileLines: inWords(
        own.map(({ value }) => value),
        screen,
      ),
      apiLines: ofApi.slice(0, MOST_LINES),
      hasApi: model.apiName !== undefined,
    };
  },
};

/** The standard scopes in words; several of them say the same to a user. */
function inWords(scopes: readonly string[], screen: Texts['consent']['consent']): string[] {
  const words: Readonly<Record<string, string>> = {
    openid: screen.scopeOpenid,
    profile: screen.scopeProfile,
    name: screen.scopeProfile,
    given_name: screen.scopeProfile,
    family_name: screen.scopeProfile,
    nickname: screen.scopeProfile,
    picture: screen.scopeProfile,
    created_at: screen.scopeProfile,
    email: screen.scopeEmail,
    email_verified: screen.scopeEmail,
    phone: screen.scopePhone,
    address: screen.scopeAddress,
    identities: screen.scopeIdentities,
    offline_access: screen.scopeOfflineAccess,
  };
  return [...new Set(scopes.map((scope) => words[scope] ?? clip(scope)))].slice(0, MOST_LINES);
}
