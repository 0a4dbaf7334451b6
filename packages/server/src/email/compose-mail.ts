import { prefixedId } from '../kit/ids.ts';
import { type Branding, viewBranding } from '../login/pages/branding.ts';
import { CARD, DEFAULT_PRIMARY, parseColour, themeColours } from '../login/pages/colour.ts';
import { directionOf, fillScreen } from '../login/pages/page-texts.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { Mail, MailTemplate } from './mail.ts';
import { headerText, mailAddress, namedAddress } from './mail-headers.ts';
import { createMailRenderer } from './mail-renderer.ts';
import { mailTexts } from './mail-texts.ts';
import { type MailSubject, mailVariables } from './mail-variables.ts';

/** What a mail is made of; its recipient is the user's address, unless it is about another one. */
export interface MailToCompose {
  readonly template: Exclude<MailTemplate, 'log_alert'>;
  readonly to: string;
  readonly language: string;
  readonly about: MailSubject;
}

export type ComposeMail = (mail: MailToCompose) => Mail;
/** Looks the tenant's brand up first: a mail is composed inside transactions, where nothing may wait for the pool. */
export type PrepareMails = (tenant: Tenant) => Promise<ComposeMail>;

interface Parts {
  readonly brandOf: (tenant: Tenant) => Promise<Branding>;
  /** Whose host the built-in sender's address has. */
  readonly canonicalOrigin: (tenant: Tenant) => string;
  readonly now: () => Date;
}

/** Makes a mail in the look and the language that it should have. Storing it is a matter of the change that causes it. */
export function createMailComposer({ brandOf, canonicalOrigin, now }: Parts): PrepareMails {
  const render = createMailRenderer();

  return async function prepareMails(tenant) {
    const branding = await brandOf(tenant);
    return (mail) => composeMail(tenant, branding, mail);
  };

  function composeMail(tenant: Tenant, branding: Branding, { template, to, language, about }: MailToCompose): Mail {
    const variables = mailVariables(tenant, about, language);
    const texts = mailTexts(language);
    const names = {
      companyName: headerText(variables.friendly_name),
      applicationName: headerText(variables.application.name),
      email: headerText(variables.user.email || to),
      lifetime: duration(about.lifetimeSeconds, language),
      support: headerText(variables.support_email || variables.support_url),
    };
    const own = fillScreen(texts[template], names);
    const common = fillScreen(texts.common, names);
    const subject = headerText(own.subject);
    const primary = parseColour(branding.primaryColor) ?? DEFAULT_PRIMARY;
    const content = render({
      subject,
      preview: own.preview,
      language,
      direction: directionOf(language),
      companyName: names.companyName,
      logoUrl: viewBranding(branding).logoUrl,
      light: themeColours(primary, CARD.light),
      dark: themeColours(primary, CARD.dark),
      texts: own,
      common: { ...common, supportText: names.support === '' ? null : common.supportText },
      url: variables.url,
    });
    return {
      mailId: prefixedId('mail'),
      template,
      to: mailAddress(to),
      from: namedAddress(names.companyName, `no-reply@${senderHost(canonicalOrigin(tenant))}`),
      subject,
      language,
      ...content,
      userId: about.user.userId,
      createdAt: now(),
    };
  }
}

function senderHost(origin: string): string {
  const { hostname } = new URL(origin);
  return /^[a-z0-9.-]+$/.test(hostname) ? hostname : 'localhost';
}

/** In the largest unit that is whole: 5 days, 90 minutes. */
function duration(seconds: number, language: string): string {
  const [value, unit] =
    seconds % 86_400 === 0
      ? [seconds / 86_400, 'day']
      : seconds % 3_600 === 0
        ? [seconds / 3_600, 'hour']
        : [Math.max(1, Math.round(seconds / 60)), 'minute'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}
