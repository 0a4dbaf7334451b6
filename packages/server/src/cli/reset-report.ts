import { join } from 'node:path';
import type { ResetTenant } from '../backup/reset-keys.ts';

/** What is lost for each tenant, and where the new secrets are; the secrets themselves stay off the terminal. */
export function describeReset(reset: readonly ResetTenant[], dataDir: string): string {
  const lines = reset.flatMap(({ tenant, clients, apis, lost }) => [
    `${tenant}: new signing keys (tokens signed before stay valid until they expire);`,
    `  ${clients.length} clients with new secrets: ${clients.map(({ name }) => name).join(', ')};`,
    ...(apis.length > 0
      ? [`  ${apis.length} APIs with new signing secrets: ${apis.map(({ identifier }) => identifier).join(', ')};`]
      : []),
    ...Object.entries(lost).map(([column, count]) => `  ${count} values of ${column} are gone;`),
    '  users, passwords, sessions and refresh tokens are as they were.',
  ]);
  return [
    ...lines,
    `The new secrets are in ${join(dataDir, 'reset-secrets.json')}, readable by you alone. Hand them on, then delete the file.`,
  ].join('\n');
}
