import { defineErrors } from '../kit/errors.ts';
import type { Management, QueryValue } from '../management/call.ts';
import { ACTIVE_DAYS, DAY } from './rollup.ts';
import type { DayStatistics, StatisticsStore } from './statistics-store.ts';

const statsErrors = defineErrors({
  malformedDay: {
    status: 400,
    code: 'invalid_query_string',
    message:
      "Query validation error: 'String does not match pattern ^[0-9]{8}$: {value}' on property {property} (a day as YYYYMMDD).",
  },
});

interface Stores {
  readonly statistics: StatisticsStore;
}

/** GET /stats/daily and /stats/active-users: counted as the log grows, a few seconds behind it. */
export function statsRoutes(management: Management<Stores>, { now }: { readonly now: () => Date }): void {
  management.route('GET /stats/daily', async ({ stores, tenant, query }) => {
    const to = dayOf(query.to, 'to') ?? now();
    const from = dayOf(query.from, 'from') ?? new Date(beginOfDay(to).getTime() - (ACTIVE_DAYS - 1) * DAY);
    return (await stores.statistics.daily(tenant.tenantId, from, to)).map(toWire);
  });

  management.route('GET /stats/active-users', ({ stores, tenant }) =>
    stores.statistics.activeUsers(tenant.tenantId, now()),
  );
}

function toWire(day: DayStatistics) {
  return {
    date: day.date.toISOString(),
    created_at: day.createdAt.toISOString(),
    leaked_passwords: day.leakedPasswords,
    logins: day.logins,
    signups: day.signUps,
    updated_at: day.updatedAt.toISOString(),
    leaked_passwords_signup: day.leakedAtSignUp,
  };
}

function dayOf(value: QueryValue | undefined, property: string): Date | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const iso = `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}`;
  const day = new Date(iso);
  const isDay = /^\d{8}$/.test(value) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(iso);
  if (!isDay) throw statsErrors.malformedDay({ value: value.slice(0, 50), property });
  return day;
}

function beginOfDay(time: Date): Date {
  return new Date(Math.floor(time.getTime() / DAY) * DAY);
}
