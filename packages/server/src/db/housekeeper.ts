import type pg from 'pg';
import type { Log } from '../kit/log.ts';
import { isDatabaseAway } from './database-away.ts';

interface Parts {
  readonly pool: pg.Pool;
  readonly now: () => Date;
  readonly log: Log;
}

/** What ends by itself, and the key that its rows are found by. Grants take their codes and tokens along. */
const EXPIRING = {
  login_transactions: 'tenant_id, state_hash',
  login_tickets: 'tenant_id, ticket_hash',
  sessions: 'tenant_id, session_id',
  joined_accounts: 'tenant_id, account_id',
  pushed_requests: 'tenant_id, request_hash',
  authorization_codes: 'tenant_id, code_hash',
  device_codes: 'tenant_id, device_code_hash',
  attempt_windows: 'tenant_id, name',
  rate_buckets: 'tenant_id, name',
  access_tokens: 'tenant_id, token_hash',
  token_grants: 'tenant_id, grant_id',
  client_assertions: 'tenant_id, client_id, jti_hash',
  dpop_proofs: 'tenant_id, proof_hash',
  tickets: 'tenant_id, user_id, purpose',
  mails: 'tenant_id, mail_id',
  jobs: 'tenant_id, job_id',
  cron_runs: 'tenant_id, run_id',
  action_executions: 'tenant_id, id',
  console_output: 'tenant_id, execution_id',
  code_warnings: 'tenant_id, name',
  log_gaps: 'tenant_id, day',
  log_rollups: 'tenant_id, grain, at, type, client_id, connection, ip, subject',
  active_users: 'tenant_id, user_id',
  log_alerts: 'tenant_id, alert_id',
  log_alert_notices: 'tenant_id, notice_id',
} as const;
const BATCH = 500;
/** Rotated tokens are kept to recognise their reuse, which ends with the time in which they would have been good. */
const ROTATED = `delete from refresh_tokens where (tenant_id, token_hash) in (
  select tenant_id, token_hash from refresh_tokens where rotated_at is not null and idle_expires_at < $1 limit ${BATCH} for update skip locked)`;

const EVERY_MILLISECONDS = 60_000;
/** While there is more. */
const SOON_MILLISECONDS = 1_000;
const BATCHES_AT_ONCE = 20;
/** A replayed code must still be known some time after it expired. */
const GRACE_MILLISECONDS = 3_600_000;

/**
 * Removes expired rows of all tenants, a few hundred at a time: one large DELETE would hold logins up, and several
 * processes share the work by skipping what another has locked.
 */
export function createHousekeeper({ pool, now, log }: Parts) {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** True where there may be more: a flood of logins leaves more behind than one sweep takes. */
  async function sweep(): Promise<boolean> {
    const before = new Date(now().getTime() - GRACE_MILLISECONDS);
    let isMore = await removeBatches(ROTATED, before);
    for (const [table, key] of Object.entries(EXPIRING)) {
      const statement = `delete from ${table} where (${key}) in (select ${key} from ${table} where expires_at < $1 limit ${BATCH} for update skip locked)`;
      isMore = (await removeBatches(statement, before)) || isMore;
    }
    return isMore;
  }

  async function removeBatches(statement: string, before: Date): Promise<boolean> {
    for (let batch = 0; batch < BATCHES_AT_ONCE; batch++) {
      const { rowCount } = await pool.query(statement, [before]);
      if ((rowCount ?? 0) < BATCH) return false;
    }
    return true;
  }

  function sweepIn(milliseconds: number): void {
    timer = setTimeout(async () => {
      const isMore = await sweep().catch((error) => {
        if (!isDatabaseAway(error)) log.error('expired rows could not be removed', { error });
        return false;
      });
      if (!isStopped) sweepIn(isMore ? SOON_MILLISECONDS : EVERY_MILLISECONDS);
    }, milliseconds).unref();
  }

  return {
    sweep,
    start: (): void => sweepIn(EVERY_MILLISECONDS),
    stop(): void {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
