const AWAY_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  '57P01',
  '57P02',
  '57P03', // shut down by an administrator, crashed, starting up
  '53300',
  '53200',
  '53100', // too many connections, out of memory, disk full
  '25006', // read-only: a standby before its promotion
]);
const AWAY_TEXT =
  /Connection terminated|connection timeout|timeout exceeded when trying to connect|Client has encountered a connection error|server closed the connection/i;

/** Whether a statement failed because there is no working database, and not because it was wrong: the caller may try again. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (AWAY_CODES.has(code) || code.startsWith('08') || AWAY_TEXT.test(error.message)) return true;
  return error.cause !== undefined && isDatabaseAway(error.cause);
}
