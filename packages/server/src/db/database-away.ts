/** Errors of the socket. */
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
]);
/**
 * Classes and codes of PostgreSQL: the connection, logging in, a dropped database, resources (connections, memory, disk),
 * an administrator's or a time-out's interruption, an error of its disk; a read-only standby; deadlocks, which end for
 * whoever comes again.
 */
const DATABASE_CODES = /^(?:08|28|3D000|53|57|58|25006|25P03|40001|40P01|55P03)/;
const AWAY_TEXT =
  /Connection terminated|connection timeout|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|server closed the connection/i;

/** Whether a statement failed because there is no working database, and not because it was wrong: the caller may try again. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (isOutdatedPlan(error) || SOCKET_CODES.has(code) || isMissingSocket(error) || AWAY_TEXT.test(error.message))
    return true;
  if ('severity' in error && DATABASE_CODES.test(code)) return true;
  return error.cause !== undefined && isDatabaseAway(error.cause);
}

/**
 * A prepared statement whose result has other columns since a newer server migrated the schema. PostgreSQL translates the
 * message and has no code of its own for it (0A000 says no more than "not supported"); the routine is always the same.
 */
export function isOutdatedPlan(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === '0A000' &&
    'routine' in error &&
    error.routine === 'RevalidateCachedQuery'
  );
}

/** Not any missing file. */
function isMissingSocket(error: Error): boolean {
  return 'code' in error && error.code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect';
}
