import type { CustomDomain } from './custom-domain.ts';
import { proofMethods } from './domain-proof.ts';

/** A custom domain as the Management API shows it. */
export function customDomainToWire(domain: CustomDomain, baseDomain: string): Readonly<Record<string, unknown>> {
  const { settings, isReady, checkedAt, error } = domain;
  return {
    custom_domain_id: domain.id,
    domain: domain.domain,
    primary: domain.isDefault,
    is_default: domain.isDefault,
    status: isReady ? 'ready' : 'pending_verification',
    type: settings.type,
    verification: {
      methods: proofMethods(domain, baseDomain),
      status: isReady ? 'verified' : error === undefined ? 'pending' : 'failed',
      ...(error !== undefined && !isReady && { error_msg: error }),
      ...(checkedAt && { last_verified_at: checkedAt.toISOString() }),
    },
    tls_policy: settings.tls_policy ?? 'recommended',
    custom_client_ip_header: settings.custom_client_ip_header ?? null,
    domain_metadata: settings.domain_metadata ?? {},
    ...(settings.relying_party_identifier && { relying_party_identifier: settings.relying_party_identifier }),
    created_at: domain.createdAt.toISOString(),
  };
}
