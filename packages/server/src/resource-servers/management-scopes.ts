import { operationNamed, operationNames } from '../management/catalogue.ts';
import type { Scope } from './resource-server.ts';

/** All scopes that an operation of this version's catalogue asks for: what the system API has. */
export const managementScopes: readonly Scope[] = [
  ...new Set(operationNames.flatMap((name) => operationNamed(name).scopes)),
]
  .sort()
  .map((value) => ({ value, description: describeScope(value) }));

/** `read:client_grants`: "Read client grants". */
function describeScope(scope: string): string {
  const words = scope.replace(':', ' ').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
