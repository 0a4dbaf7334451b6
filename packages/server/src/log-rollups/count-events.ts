import { addressBucket } from './address-bucket.ts';
import { foldCounts } from './fold-counts.ts';
import {
  ACTIVE_DAYS,
  type ActiveUser,
  beginOf,
  type Count,
  type CountedEvent,
  DAY,
  FAILED,
  GRAINS,
  type Grain,
  LOGINS,
} from './rollup.ts';

export interface Counted {
  readonly counts: readonly Count[];
  readonly activeUsers: readonly ActiveUser[];
}

const LONGEST_SUBJECT = 200;

/** Adds events up, and who of them logged in. What would be over by now is left out: a log is counted from its beginning. */
export function countEvents(events: readonly CountedEvent[], now: Date): Counted {
  const counts = new Map<string, Count & { n: number }>();
  const users = new Map<string, ActiveUser>();
  for (const event of events) {
    for (const key of keysOf(event)) {
      if (key.expires_at <= now) continue;
      const text = JSON.stringify(key);
      const known = counts.get(text);
      if (known) known.n++;
      else counts.set(text, { ...key, n: 1 });
    }
    const user = activeUserOf(event);
    if (!user || user.expires_at <= now) continue;
    const text = JSON.stringify([user.tenant_id, user.user_id]);
    const known = users.get(text);
    if (!known || known.last_login_at < user.last_login_at) users.set(text, user);
  }
  return { counts: foldCounts([...counts.values()]), activeUsers: [...users.values()] };
}

type Key = Omit<Count, 'n'>;

function keysOf(event: CountedEvent): Key[] {
  const { type, ip } = event;
  const by = { client_id: event.clientId ?? '', connection: event.connection ?? '' };
  const keys = [
    keyOf(event, 'minute', { ...by, ip: addressBucket(ip) }),
    keyOf(event, 'hour', by),
    keyOf(event, 'day', by),
  ];
  if (!FAILED.has(type)) return keys;
  const user = event.userId || event.userName?.toLowerCase();
  if (user) keys.push(keyOf(event, 'minute', { subject: subject('user', user) }));
  if (event.rule) {
    const cause = { client_id: event.clientId ?? '', subject: subject('rule', event.rule) };
    keys.push(keyOf(event, 'minute', cause), keyOf(event, 'hour', cause));
  }
  return keys;
}

function keyOf({ tenantId, type, at }: CountedEvent, grain: Grain, parts: Partial<Key>): Key {
  const begin = beginOf(grain, at);
  return {
    tenant_id: tenantId,
    grain,
    at: begin,
    type,
    client_id: '',
    connection: '',
    ip: '',
    subject: '',
    ...parts,
    expires_at: new Date(begin.getTime() + GRAINS[grain].kept),
  };
}

function subject(kind: 'user' | 'rule', name: string): string {
  // Cut within a pair of surrogates it would be no text that the database takes, and no batch with it would be counted.
  return `${kind}:${name.slice(0, LONGEST_SUBJECT).toWellFormed()}`;
}

function activeUserOf({ tenantId, userId, type, at }: CountedEvent): ActiveUser | undefined {
  if (!userId || !LOGINS.has(type)) return undefined;
  const expiresAt = new Date(at.getTime() + (ACTIVE_DAYS + 1) * DAY);
  return { tenant_id: tenantId, user_id: userId, last_login_at: at, expires_at: expiresAt };
}
