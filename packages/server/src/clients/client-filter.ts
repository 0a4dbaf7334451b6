import { flagOf, textOf } from '../kit/json-values.ts';
import type { QueryValue } from '../management/call.ts';
import { clientErrors } from './client-errors.ts';
import type { ClientFilter } from './client-store.ts';

type Query = Readonly<Record<string, QueryValue | undefined>>;

/** What GET /clients asks for. */
export function filterOf(query: Query): ClientFilter {
  const appTypes = textOf(query.app_type)
    ?.split(',')
    .map((appType) => appType.trim());
  return {
    isGlobal: flagOf(query.is_global),
    isFirstParty: flagOf(query.is_first_party),
    appTypes,
    externalClientId: textOf(query.external_client_id),
    ...searchOf(textOf(query.q)),
  };
}

/** Auth0 lets clients be searched by what their grants say of organizations, and by nothing else. */
function searchOf(q: string | undefined): Pick<ClientFilter, 'allowAnyOrganization' | 'organizationId'> {
  if (q === undefined || q.trim() === '') return {};
  const anyOrganization = /^\s*client_grant\.allow_any_organization:\s*(true|false)\s*$/.exec(q);
  if (anyOrganization) return { allowAnyOrganization: anyOrganization[1] === 'true' };
  const organization = /^\s*client_grant\.organization_id:\s*"?(org_[A-Za-z0-9]{16})"?\s*$/.exec(q);
  if (organization) return { organizationId: organization[1] };
  throw clientErrors.invalidQuery();
}
