import { isObject, textOf } from '../../../kit/json-values.ts';
import { severityOf } from '../event-severity.ts';
import type { StreamedEvent } from '../sink.ts';

/** One log record in the JSON encoding of OTLP: 64-bit numbers are texts, names are in lowerCamelCase. */
export function toOtlpRecord({ logId, at, data }: StreamedEvent) {
  const severity = severityOf(data.type);
  return {
    timeUnixNano: `${at.getTime()}000000`,
    observedTimeUnixNano: `${at.getTime()}000000`,
    severityNumber: severity.otlp,
    severityText: severity.text,
    body: toAnyValue(data),
    attributes: attributesOf({
      'log.record.uid': logId,
      log_id: logId,
      type: textOf(data.type),
      'client.address': textOf(data.ip),
      'user.id': textOf(data.user_id),
      client_id: textOf(data.client_id),
      connection: textOf(data.connection),
    }),
  };
}

/** Those that say something. */
export function attributesOf(values: Readonly<Record<string, string | undefined>>) {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => ({ key, value: { stringValue: value } }));
}

type AnyValue =
  | Record<string, never>
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly { readonly key: string; readonly value: AnyValue }[] } };

function toAnyValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(toAnyValue) } };
  if (!isObject(value)) return {};
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return { kvlistValue: { values: members.map(([key, member]) => ({ key, value: toAnyValue(member) })) } };
}
