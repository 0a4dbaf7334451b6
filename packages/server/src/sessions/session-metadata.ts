import { isObject } from '../kit/json-values.ts';
import { managementErrors } from '../management/management-errors.ts';

type Metadata = Readonly<Record<string, unknown>>;

export const MOST_BYTES = 16_384;
export const MOST_KEYS = 25;

/** session_metadata and refresh_token_metadata: replaced as a whole, emptied by null. */
export function metadataOf(body: Metadata, name: 'session_metadata' | 'refresh_token_metadata'): Metadata | undefined {
  const given = body[name];
  if (given === undefined) return undefined;
  if (!isObject(given)) return {};
  if (Object.keys(given).length > MOST_KEYS)
    throw managementErrors.invalidBody({
      problem: `'Too many properties defined, maximum ${MOST_KEYS}' on property ${name}`,
    });
  if (Buffer.byteLength(JSON.stringify(given)) > MOST_BYTES)
    throw managementErrors.invalidBody({
      problem: `'Object is too large, maximum ${MOST_BYTES} bytes' on property ${name}`,
    });
  return given;
}
