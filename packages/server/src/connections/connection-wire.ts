import type { Connection } from './connection.ts';

export function toWire(connection: Connection): Record<string, unknown> {
  return {
    id: connection.id,
    options: connection.options,
    strategy: connection.strategy,
    name: connection.name,
    is_domain_connection: connection.isDomainConnection,
    ...(connection.showAsButton === undefined ? {} : { show_as_button: connection.showAsButton }),
    ...(connection.displayName === undefined ? {} : { display_name: connection.displayName }),
    ...(connection.metadata === undefined ? {} : { metadata: connection.metadata }),
    authentication: { active: true },
    connected_accounts: { active: false },
    ...connection.otherFields,
    realms: connection.realms,
    enabled_clients: connection.enabledClients,
  };
}

/** The part of a connection that a body sets: `name` and `strategy` only at creation, `enabled_clients` has rows of its own. */
export type ConnectionChange = Partial<
  Pick<
    Connection,
    'displayName' | 'options' | 'realms' | 'isDomainConnection' | 'showAsButton' | 'metadata' | 'otherFields'
  >
>;

/** Reads a body that the catalogue's schema let through. What it does not name keeps its value; options are replaced whole. */
export function fromWire(body: Readonly<Record<string, unknown>>): ConnectionChange {
  const { name: _name, strategy: _strategy, enabled_clients: _clients, ...fields } = body;
  const { display_name, options, realms, is_domain_connection, show_as_button, metadata, ...otherFields } = fields;
  return {
    ...(typeof display_name === 'string' ? { displayName: display_name } : {}),
    ...(options === undefined ? {} : { options: isRecord(options) ? options : {} }),
    ...(Array.isArray(realms) ? { realms: realms.map(String) } : {}),
    ...(typeof is_domain_connection === 'boolean' ? { isDomainConnection: is_domain_connection } : {}),
    ...(typeof show_as_button === 'boolean' ? { showAsButton: show_as_button } : {}),
    ...(isRecord(metadata) ? { metadata: withoutNulls(metadata) } : {}),
    ...(Object.keys(otherFields).length > 0 ? { otherFields } : {}),
  };
}

/** The clients that an old SDK's body enables; undefined where it says nothing. */
export function enabledClientsOf(body: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  return Array.isArray(body.enabled_clients) ? body.enabled_clients.map(String) : undefined;
}

function withoutNulls(metadata: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept = Object.entries(metadata).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([key, value]) => [key, String(value)]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
