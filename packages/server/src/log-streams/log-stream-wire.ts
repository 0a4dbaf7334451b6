import { flagOf, isObject, type Json, objectsOf, oneOf, textOf, textsOf } from '../kit/json-values.ts';
import { bodyFault, checkCount, checkLength } from '../management/body-limits.ts';
import { validateBody } from '../management/validate-body.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { DAMAGES, LONGEST_NAME, type LogStream, MOST_FILTERS, STREAM_STATUSES } from './log-stream.ts';
import type { PersonalDataSettings } from './personal-data/mask-personal-data.ts';
import { PERSONAL_FIELDS } from './personal-data/personal-fields.ts';
import type { StreamFilter } from './select-events.ts';
import { checkAddressChange } from './sinks/check-address-change.ts';
import { faultOfSettings } from './sinks/check-settings.ts';
import type { StreamType } from './sinks/sink.ts';

/** The catalogue's definitions; the types that Auth0 does not have are checked by their sinks alone. */
const DEFINITIONS: Readonly<Partial<Record<StreamType, string>>> = {
  http: 'LogStreamHttpSink',
  datadog: 'LogStreamDatadogSink',
  splunk: 'LogStreamSplunkSink',
  sumo: 'LogStreamSumoSink',
  eventbridge: 'LogStreamEventBridgeSink',
  eventgrid: 'LogStreamEventGridSink',
  segment: 'LogStreamSegmentSinkWriteKey',
  mixpanel: 'LogStreamMixpanelSink',
};
/** Auth0 takes it and shows it to nobody. */
const NEVER_SHOWN = 'mixpanelServiceAccountPassword';

/** What POST and PATCH have in common. */
export function readChange(body: Json) {
  const name = textOf(body.name);
  const isPriority = flagOf(body.isPriority);
  const status = oneOf(STREAM_STATUSES, body.status);
  checkLength('name', name, LONGEST_NAME);
  return {
    ...(name !== undefined && { name }),
    ...(isPriority !== undefined && { isPriority }),
    ...(status !== undefined && { status }),
    ...(Array.isArray(body.filters) && { filters: readFilters(body.filters) }),
    ...(isObject(body.pii_config) && { piiConfig: readPersonalData(body.pii_config) }),
  };
}

/** `before`: what the stream has. Members that a PATCH leaves out stay, secrets above all, as long as they go where they went. */
export function readSink(type: StreamType, given: Json, tenant: Tenant, before: Json = {}): Json {
  const sink = { ...before, ...given };
  const definition = DEFINITIONS[type];
  if (definition) validateBody({ name: `sink ${type}`, body: { $ref: definition } }, sink);
  if (textOf(sink.httpEndpoint)?.startsWith('http:') && tenant.environment !== 'development')
    throw bodyFault('Only development tenants send to http: use https', 'sink.httpEndpoint');
  const fault = faultOfSettings(type, sink);
  if (fault !== undefined) throw bodyFault(fault, 'sink');
  checkAddressChange(type, { before, given, sink });
  return sink;
}

function readPersonalData({ log_fields, method, algorithm }: Json): PersonalDataSettings {
  return {
    log_fields: textsOf(log_fields).flatMap((field) => oneOf(PERSONAL_FIELDS, field) ?? []),
    method: oneOf(['mask', 'hash'], method),
    algorithm: oneOf(['xxhash'], algorithm),
  };
}

function readFilters(given: readonly unknown[]): StreamFilter[] {
  checkCount('filters', given, MOST_FILTERS);
  return objectsOf(given).map(({ name }) => {
    if (name === undefined) throw bodyFault('Missing required property: name', 'filters');
    return { type: 'category', name: textOf(name) };
  });
}

/** Undefined for what is no time. */
export function readInstant(property: string, value: unknown): Date | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (text.length > 40 || Number.isNaN(date.getTime()))
    throw bodyFault("Object didn't pass validation for format date-time", property);
  return date;
}

/** The stream as GET and every change answer it. */
export function toWire(stream: LogStream): Json {
  const { [NEVER_SHOWN]: _never, ...sink } = stream.sink ?? {};
  return {
    id: stream.id,
    name: stream.name,
    type: stream.type,
    status: stream.status,
    sink,
    filters: stream.filters,
    isPriority: stream.isPriority,
    ...(stream.piiConfig !== undefined && { pii_config: stream.piiConfig }),
    ...(stream.damage && { error: DAMAGES[stream.damage] }),
  };
}
