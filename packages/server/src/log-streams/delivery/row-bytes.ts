import type { LogRow } from '../../logs/log-row.ts';

const ROW = 400;
const MEMBER = 40;
const MAX_DEPTH = 40;

/** What an event that was read takes of memory, roughly and rather too much: a character has two bytes. */
export function bytesOfRow({ body, userId, clientId, connection, ip }: LogRow): number {
  return ROW + sizeOf(body, 0) + sizeOf(userId, 0) + sizeOf(clientId, 0) + sizeOf(connection, 0) + sizeOf(ip, 0);
}

function sizeOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length * 2;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return 0;
  let size = 0;
  if (Array.isArray(value)) for (const item of value) size += MEMBER + sizeOf(item, depth + 1);
  else for (const [name, member] of Object.entries(value)) size += MEMBER + name.length + sizeOf(member, depth + 1);
  return size;
}
