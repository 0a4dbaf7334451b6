import { isObject, objectsOf, textOf } from '../kit/json-values.ts';
import type { Sealer } from '../kit/seal.ts';
import { bodyFault, checkCount, checkLength } from '../management/body-limits.ts';

/** What code reads as `event.secrets`: sealed at rest, and never told again. */
export interface Secret {
  readonly name: string;
  readonly value: string;
  readonly updatedAt: Date;
}

const MOST_SECRETS = 30;
const LONGEST_NAME = 128;
const LONGEST_VALUE = 4_096;

export type SecretSealing = ReturnType<typeof createSecretSealing>;

/** Seals a list for its row, so that it opens in no other one. */
export function createSecretSealing(sealer: Sealer, table: string) {
  const place = (tenantId: string, id: string) => `${tenantId}/${table}/${id}/secrets`;

  return {
    seal(tenantId: string, id: string, secrets: readonly Secret[]): Buffer | null {
      return secrets.length === 0 ? null : sealer.seal(JSON.stringify(secrets), place(tenantId, id));
    },

    open(tenantId: string, id: string, sealed: Buffer | null): readonly Secret[] {
      if (!sealed) return [];
      const list: unknown = JSON.parse(sealer.open(sealed, place(tenantId, id)).toString());
      return objectsOf(list).map(({ name, value, updatedAt }) => ({
        name: textOf(name) ?? '',
        value: textOf(value) ?? '',
        updatedAt: new Date(textOf(updatedAt) ?? 0),
      }));
    },
  };
}

/**
 * The list that takes the place of `known`. One without a value keeps the one that it had: whoever edits an action can't
 * read its secrets, and sends back what can be read.
 */
export function readSecrets(given: unknown, known: readonly Secret[], now: Date): readonly Secret[] {
  const list = objectsOf(given);
  checkCount('secrets', list, MOST_SECRETS);
  const secrets = list.map((item, index) => readSecret(item, known, now, `secrets[${index}]`));
  const names = new Set(secrets.map(({ name }) => name));
  if (names.size < secrets.length) throw bodyFault('Two secrets have the same name', 'secrets');
  return secrets;
}

function readSecret(item: unknown, known: readonly Secret[], now: Date, place: string): Secret {
  const { name: givenName, value: givenValue } = isObject(item) ? item : {};
  const [name, value] = [textOf(givenName), textOf(givenValue)];
  if (!name) throw bodyFault('Missing required property: name', place);
  checkLength(`${place}.name`, name, LONGEST_NAME);
  checkLength(`${place}.value`, value, LONGEST_VALUE);
  if (value !== undefined) return { name, value, updatedAt: now };
  const kept = known.find((secret) => secret.name === name);
  if (!kept) throw bodyFault('Missing required property: value', place);
  return kept;
}

export function secretsToWire(secrets: readonly Secret[]) {
  return secrets.map(({ name, updatedAt }) => ({ name, updated_at: updatedAt.toISOString() }));
}

/** By name, as code reads them. */
export function secretValues(secrets: readonly Secret[]): Readonly<Record<string, string>> {
  return Object.fromEntries(secrets.map(({ name, value }) => [name, value]));
}
