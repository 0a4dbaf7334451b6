import type { Client } from '../clients/client.ts';
import type { Connection } from '../connections/connection.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import type { User } from '../users/user.ts';

/** Whom and what a mail is about. */
export interface MailSubject {
  readonly user: MailUser;
  readonly connection: Pick<Connection, 'name'>;
  /** The application that the request named. */
  readonly client: Pick<Client, 'clientId' | 'name' | 'callbacks' | 'metadata'> | undefined;
  readonly url: string;
  /** How long the link works. */
  readonly lifetimeSeconds: number;
}

export type MailUser = Pick<User, 'email' | 'emailVerified'> & Partial<User>;

/** The variables of Auth0's mail templates: what a tenant's own template may use, and ours are written with. */
export type MailVariables = ReturnType<typeof mailVariables>;

export function mailVariables(tenant: Tenant, { user, connection, client, url }: MailSubject, language: string) {
  const settings = settingsOf(tenant);
  const application = {
    name: client?.name ?? settings.friendlyName,
    clientID: client?.clientId ?? '',
    callback_domain: callbackDomain(client?.callbacks ?? []),
    client_metadata: client?.metadata ?? {},
  };
  return {
    application,
    // The older name of the same, which templates still use.
    client: application,
    connection: { name: connection.name },
    request_language: language,
    tenant: tenant.tenantId,
    friendly_name: settings.friendlyName,
    support_email: settings.supportEmail ?? '',
    support_url: settings.supportUrl ?? '',
    user: {
      email: user.email ?? '',
      email_verified: user.emailVerified,
      picture: user.picture ?? '',
      nickname: user.nickname ?? '',
      given_name: user.givenName ?? '',
      family_name: user.familyName ?? '',
      name: user.name ?? '',
      app_metadata: user.appMetadata ?? {},
      user_metadata: user.userMetadata ?? {},
    },
    url,
  };
}

/** The origin of the first callback that has one. */
function callbackDomain(callbacks: readonly string[]): string {
  const web = callbacks.find((url) => /^https?:/.test(url) && !url.includes('*') && URL.canParse(url));
  return web === undefined ? '' : new URL(web).origin;
}
