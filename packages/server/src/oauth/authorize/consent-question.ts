import { type Consent, covers, needsConsent } from '../../consents/consent.ts';
import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import type { LoginRequest } from './authorization-request.ts';

interface Parts {
  readonly access: Pick<AccessResolver, 'forUser'>;
  readonly consents: Pick<ConsentStore, 'find'>;
}

/** What the user is asked to allow: what this request would give, and nothing that it merely names. */
export interface ConsentQuestion {
  readonly audience: string;
  readonly scopes: readonly string[];
  /** What was allowed before. */
  readonly given: Consent | undefined;
  /** All of it was allowed before. */
  readonly isAnswered: boolean;
}

/** The consent that a request needs; undefined where it needs none. */
export function createConsentQuestion({ access, consents }: Parts) {
  return async function consentQuestion(
    tenant: Tenant,
    request: LoginRequest,
    userId: string,
  ): Promise<ConsentQuestion | undefined> {
    const { client, target, scope, isVerifiable, prompts } = request;
    if (!prompts.has('consent') && !needsConsent(client, target.api, isVerifiable)) return undefined;
    const { scopes } = await access.forUser(tenant, client, userId, target, scope);
    const audience = target.api?.identifier ?? '';
    const given = await consents.find(tenant.tenantId, { userId, clientId: client.clientId, audience });
    return { audience, scopes, given, isAnswered: covers(given, scopes) };
  };
}

export type ConsentQuestionOf = ReturnType<typeof createConsentQuestion>;
