import type { Requester } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';

/** Who calls the Management API: taken from the verified access token. */
export interface Actor {
  /** The client of the token (`azp`). */
  readonly clientId: string;
  readonly clientName?: string;
  /** Set when the token was issued for an end user (`sub` without `@clients`). */
  readonly userId?: string;
  readonly scopes: ReadonlySet<string>;
  readonly jti?: string;
  /** The key that the token is bound to, as the token says (RFC 7800). */
  readonly cnf?: unknown;
}

export type QueryValue = string | number | boolean | readonly string[];

/** One authenticated, authorised and validated request of the Management API. */
export interface ManagementCall<Stores> {
  readonly tenant: Tenant;
  /** The registered origin that the request came to: the system audience is made from it. */
  readonly origin: string;
  /** The header `auth0-custom-domain`: what links that this request mails should name; unchecked. */
  readonly customDomain?: string | undefined;
  /** The header `last-event-id`: where a reader of server-sent events was cut off; unchecked. */
  readonly lastEventId?: string | undefined;
  readonly actor: Actor;
  /**
   * True where the token's scopes let it act on its own user only (`read:current_user` …). Under /users/{id} that has been
   * checked; other operations compare with `actor.userId` themselves.
   */
  readonly onlyOwnUser: boolean;
  readonly requester: Requester;
  /** Path parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters, with the types that the catalogue gives them. */
  readonly query: Readonly<Record<string, QueryValue | undefined>>;
  /** The body, checked against the catalogue's schema; an empty object where none was sent. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The body where the catalogue's schema is an array (PATCH /connections/{id}/clients). */
  readonly bodyList: readonly unknown[];
  /** The body where the catalogue lets it be plain text, or HTML (PUT /branding/templates/universal-login). */
  readonly bodyText?: string | undefined;
  /** Stores on the pool, for reads. */
  readonly stores: Stores;
  /**
   * Runs a change in one transaction together with its `sapi` event; what `work` returns is the answer's body.
   * Every operation that is no GET must call it exactly once. Slow work (hashing, key generation) comes before it.
   */
  commit<Result>(work: (stores: Stores) => Promise<Result>): Promise<Result>;
  /** Says that the answer of a read carries secrets, by name (`client_secret`): such a read is an event. */
  accessedSecrets(names: readonly string[]): void;
  /** Sets a header of the answer: the `Link` of GET /logs. */
  setHeader?(name: string, value: string): void;
  /** Answers a list in the style that the query asks for: bare array, totals object or checkpoint object. */
  list<Item>(key: string, source: ListSource<Item>): Promise<unknown>;
}

/** Where a list comes from. Items are in a stable order; `after` is needed where the catalogue offers checkpoint paging. */
export interface ListSource<Item> {
  page(offset: number, limit: number): Promise<readonly Item[]>;
  count(): Promise<number>;
  /** Items behind `cursor` (an opaque text made by `cursorOf`), at most `limit`. */
  after?(cursor: string | undefined, limit: number): Promise<readonly Item[]>;
  /** The position of an item, for `next`. It may not be trusted when it comes back. */
  cursorOf?(item: Item): string;
  /** Turns an item into its wire form; left out where items are wire already. */
  toWire?(item: Item): unknown;
}

/** What a domain's routes file gets: it declares operations by their name in the catalogue, `'PATCH /clients/{id}'`. */
export interface Management<Stores> {
  route(operation: string, handler: (call: ManagementCall<Stores>) => Promise<unknown>): void;
}
