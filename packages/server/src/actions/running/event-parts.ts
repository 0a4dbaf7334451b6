import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Json } from '../../kit/json-values.ts';
import type { Requester } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { User } from '../../users/user.ts';
import { toWire } from '../../users/user-wire.ts';

// Members of `event` that several triggers share (extensibility: fields of events).

export function tenantPart({ tenantId }: Tenant): Json {
  return { id: tenantId };
}

export function clientPart({ clientId, name, metadata }: Client): Json {
  return { client_id: clientId, metadata, name };
}

export function connectionPart({ id, name, strategy, metadata }: Connection): Json {
  return { id, ...(metadata && { metadata }), name, strategy };
}

export interface RequestPart {
  readonly requester: Pick<Requester, 'ip' | 'userAgent' | 'hostname'>;
  readonly method: string;
  readonly body?: Json;
  readonly query?: Json;
  readonly language?: string | undefined;
}

/** `geoip` has members where addresses can be placed; here none is. */
export function requestPart({ requester, method, body, query, language }: RequestPart): Json {
  return {
    ...(body && { body }),
    geoip: {},
    hostname: requester.hostname,
    ip: requester.ip,
    ...(language !== undefined && { language }),
    method,
    ...(query && { query }),
    user_agent: requester.userAgent,
  };
}

const OF_A_USER =
  `app_metadata created_at email email_verified family_name given_name identities last_password_reset name nickname
  phone_number phone_verified picture updated_at user_id user_metadata username`.split(/\s+/);

/** Metadata is there even where it is empty. */
export function userPart(user: User): Json {
  const wire = { ...toWire(user), email_verified: user.emailVerified };
  return { ...picked(wire, OF_A_USER), app_metadata: user.appMetadata, user_metadata: user.userMetadata };
}

export function picked(object: Json, names: readonly string[]): Json {
  return Object.fromEntries(names.flatMap((name) => (object[name] === undefined ? [] : [[name, object[name]]])));
}
