import { isIP } from 'node:net';
import { defineErrors } from '../kit/errors.ts';

export interface CustomDomain {
  readonly id: string;
  readonly domain: string;
  readonly isReady: boolean;
  /** Links in mails name it where no other one is asked for. */
  readonly isDefault: boolean;
  readonly proof: string;
  readonly settings: DomainSettings;
  readonly createdAt: Date;
  /** When the DNS was asked last, and what was wrong. */
  readonly checkedAt: Date | undefined;
  readonly error: string | undefined;
}

/** As they go over the wire. */
export interface DomainSettings {
  readonly type: string;
  readonly verification_method?: string;
  readonly tls_policy?: string;
  readonly custom_client_ip_header?: string | null;
  readonly domain_metadata?: Readonly<Record<string, unknown>>;
  readonly relying_party_identifier?: string | null;
}

export const MOST_DOMAINS = 100;

export const customDomainErrors = defineErrors({
  notFound: {
    status: 404,
    code: 'inexistent_custom_domain',
    message: 'The custom domain {id} does not exist',
  },
  taken: { status: 409, code: 'custom_domain_already_exists', message: 'The custom domain exists already.' },
  reserved: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'The domain {domain} can't be a custom domain' on property domain.",
  },
  tooMany: { status: 403, code: 'too_many_custom_domains', message: 'A tenant has at most 100 custom domains.' },
  notVerified: {
    status: 400,
    code: 'invalid_body',
    message: 'The domain must be verified before it can be set as default.',
  },
});

const NAME = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * The name as it is compared: lower case. Names that this installation computes for its tenants are nobody's to claim, nor are
 * addresses and names without a dot.
 */
export function claimableDomain(text: string, { baseDomain, defaultOrigin }: OwnNames): string {
  const domain = text.toLowerCase();
  const isOwn =
    domain === baseDomain ||
    domain.endsWith(`.${baseDomain}`) ||
    domain.endsWith('.localhost') ||
    (defaultOrigin !== undefined && new URL(defaultOrigin).hostname === domain);
  if (isOwn || isIP(domain) !== 0 || !NAME.test(domain)) throw customDomainErrors.reserved({ domain });
  return domain;
}

export interface OwnNames {
  readonly baseDomain: string;
  /** GATEWRIGHT_ORIGIN. */
  readonly defaultOrigin: string | undefined;
}
