import { textOf } from '../kit/json-values.ts';
import type { Management } from '../management/call.ts';
import type { TokenGrantStore } from '../oauth/tokens/token-grant-store.ts';
import { MANAGEMENT_IDENTIFIER } from '../resource-servers/resource-server.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { Consent } from './consent.ts';
import type { ConsentStore } from './consent-store.ts';

export interface ConsentStores {
  readonly consents: ConsentStore;
  readonly tokenGrants: Pick<TokenGrantStore, 'revokeOfUser' | 'revokeOfConsent'>;
}

interface Parts {
  readonly managementAudience: (origin: string) => string;
  readonly isManagementAudience: (tenant: Tenant, audience: string) => boolean;
  readonly now: () => Date;
}

/**
 * /grants of the Management API. Who withdraws a consent ends what hangs on it: refresh tokens and opaque access tokens at
 * once, as at Auth0, where every refresh token belongs to a grant; a JWT lives on until it expires.
 */
export function consentRoutes<Stores extends ConsentStores>(management: Management<Stores>, parts: Parts): void {
  const { managementAudience, isManagementAudience, now } = parts;

  management.route('GET /grants', async ({ tenant, origin, query, stores, list }) => {
    const audience = textOf(query.audience);
    const filter = {
      userId: textOf(query.user_id),
      clientId: textOf(query.client_id),
      audience: audience === undefined ? undefined : stored(tenant, origin, audience),
    };
    return list('grants', {
      page: (offset, limit) => stores.consents.page(tenant.tenantId, filter, offset, limit),
      count: () => stores.consents.count(tenant.tenantId, filter),
      toWire: (consent) => toWire(consent, origin),
    });
  });

  // First-party logins have no consent here, but a grant at Auth0, which this call ends as well: so all of the user's
  // tokens end, whether somebody asked for a consent or not.
  management.route('DELETE /grants', async ({ tenant, query, commit }) =>
    commit(async ({ consents, tokenGrants }) => {
      const userId = textOf(query.user_id) ?? '';
      await consents.removeOfUser(tenant.tenantId, userId);
      await tokenGrants.revokeOfUser(tenant.tenantId, userId, now());
    }),
  );

  management.route('DELETE /grants/{id}', async ({ tenant, params, commit }) =>
    commit(async ({ consents, tokenGrants }) => {
      const consent = await consents.remove(tenant.tenantId, params.id ?? '');
      if (!consent) return;
      // Issuing holds the consent until it is committed, so that what it issued is found here.
      await tokenGrants.revokeOfConsent(
        tenant.tenantId,
        consent,
        (audience) => stored(tenant, undefined, audience ?? '') === consent.audience,
        now(),
      );
    }),
  );

  /** The audience as consents have it: an application may name the Management API by each origin of the tenant. */
  function stored(tenant: Tenant, origin: string | undefined, audience: string): string {
    if (origin !== undefined && audience === userinfoOf(origin)) return '';
    return isManagementAudience(tenant, audience) ? MANAGEMENT_IDENTIFIER : audience;
  }

  function toWire({ id, clientId, userId, audience, scopes }: Consent, origin: string) {
    const shown = audience === MANAGEMENT_IDENTIFIER ? managementAudience(origin) : audience || userinfoOf(origin);
    return { id, clientID: clientId, user_id: userId, audience: shown, scope: scopes };
  }
}

/** At Auth0 the userinfo endpoint is the audience where an application asks for the profile alone. */
function userinfoOf(origin: string): string {
  return `${origin}/userinfo`;
}
