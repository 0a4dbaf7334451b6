import { flagOf, type Json, numberOf, objectOf, oneOf } from '../kit/json-values.ts';
import { managementScopes } from './management-scopes.ts';
import type { ProofOfPossession, ResourceServer } from './resource-server.ts';
import { readScopes } from './resource-server-rules.ts';

/** A row of resource_servers, but for its sealed secret. */
export interface ResourceServerRow {
  readonly id: string;
  readonly identifier: string;
  readonly name: string;
  readonly is_system: boolean;
  readonly body: Json;
}

/** The system API has the scopes of this version's catalogue, whatever was stored. */
export function fromRow(row: ResourceServerRow, signingSecret: string | undefined): ResourceServer {
  const { scopes, ...body } = row.body;
  const authorization = objectOf(body.subject_type_authorization);
  const policyOf = (value: unknown) => oneOf(['deny_all', 'require_client_grant', 'allow_all'], objectOf(value).policy);
  return {
    id: row.id,
    identifier: row.identifier,
    name: row.name,
    isSystem: row.is_system,
    scopes: row.is_system ? managementScopes : readScopes(scopes),
    signingAlg: oneOf(['RS256', 'HS256', 'PS256', 'RS512'], body.signing_alg) ?? 'RS256',
    signingSecret,
    tokenLifetime: numberOf(body.token_lifetime) ?? 86_400,
    tokenLifetimeForWeb: numberOf(body.token_lifetime_for_web) ?? 7_200,
    allowOfflineAccess: flagOf(body.allow_offline_access) ?? false,
    skipConsentForVerifiableFirstPartyClients: flagOf(body.skip_consent_for_verifiable_first_party_clients) ?? true,
    tokenDialect:
      oneOf(['access_token', 'access_token_authz', 'rfc9068_profile', 'rfc9068_profile_authz'], body.token_dialect) ??
      'access_token',
    enforcePolicies: flagOf(body.enforce_policies) ?? false,
    userPolicy: policyOf(authorization.user),
    clientPolicy: policyOf(authorization.client),
    proofOfPossession: proofOfPossessionOf(objectOf(body.proof_of_possession)),
    body,
  };
}

function proofOfPossessionOf(rule: Json): ProofOfPossession | undefined {
  const mechanism = oneOf(['dpop', 'mtls'], rule.mechanism);
  return (
    mechanism && {
      mechanism,
      isRequired: flagOf(rule.required) ?? false,
      requiredFor: oneOf(['public_clients', 'all_clients'], rule.required_for) ?? 'all_clients',
    }
  );
}
