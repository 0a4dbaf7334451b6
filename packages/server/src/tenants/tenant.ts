import { defineErrors } from '../kit/errors.ts';

export type Environment = 'development' | 'staging' | 'production';

export interface Tenant {
  /** The tenant's name, `dev` or `acme`: the key of everything that it owns. */
  readonly tenantId: string;
  readonly environment: Environment;
  readonly isDefault: boolean;
  /** /api/v2/tenants/settings as it goes over the wire; defaults are filled in by tenant-settings.ts. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Registered origins; localhost ones and those under the base domain are computed. */
  readonly origins: readonly string[];
  /** The registered one that links in mails name, where one was chosen. */
  readonly canonicalOrigin?: string | undefined;
}

export const tenantErrors = defineErrors({
  unknownHost: { status: 404, message: 'No tenant answers at this host.' },
  unknownTenant: { status: 404, code: 'inexistent_tenant', message: "There is no tenant '{name}'." },
  noDefault: {
    status: 404,
    code: 'inexistent_tenant',
    message: 'There is no default tenant: name one with --tenant.',
  },
  unknownEnvironment: {
    status: 400,
    code: 'invalid_environment',
    message: "'{environment}' is no environment: use development, staging or production.",
  },
});
