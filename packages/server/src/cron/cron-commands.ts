import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlVerbs } from '../control/control-server.ts';
import type { ControlPiece } from '../control/control-stream.ts';
import type { Transact } from '../db/transact.ts';
import { isObject } from '../kit/json-values.ts';
import { nearestWord } from '../kit/nearest-word.ts';
import { type GivenSettings, isSetting, readExportSettings, settingNames } from '../log-export/export-settings.ts';
import { tenantErrors } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { type CronJob, type CronRun, checkName, cronErrors } from './cron-job.ts';
import { nextRun, upcomingRun } from './cron-schedule.ts';
import { followRuns } from './follow-runs.ts';
import type { CronStores } from './run-job.ts';

interface Needs {
  readonly stores: CronStores & { readonly tenants: Pick<TenantStore, 'directory'> };
  readonly transact: Transact<CronStores>;
  /** A job was added or changed. */
  readonly onChange: () => void;
  readonly now: () => Date;
}

type Input = Readonly<Record<string, unknown>>;

const EVERY_MILLISECONDS = 500;
const MOST_RUNS_SHOWN = 100;
const MOST_MINUTES = 1_440;
const DEFAULT_MINUTES = 30;

/** `gatewright cron …`, as the running server carries it out. */
export function cronCommands({ stores, transact, onChange, now }: Needs): ControlVerbs {
  /** The default tenant where none is named. */
  async function tenantOf({ tenant }: Input): Promise<string> {
    const { tenantIds, defaultTenantId } = await stores.tenants.directory();
    const tenantId = tenant === undefined ? defaultTenantId : String(tenant);
    if (tenantId === undefined || !tenantIds.has(tenantId))
      throw tenantErrors.unknownTenant({ name: tenantId ?? 'default' });
    return tenantId;
  }

  async function find(tenantId: string, name: string): Promise<CronJob> {
    const job = (await stores.cronJobs.list(tenantId)).find((one) => one.name === name);
    if (!job) throw cronErrors.unknown({ name: name.slice(0, 100) });
    return job;
  }

  return {
    async 'cron-schedule'(input) {
      const tenantId = await tenantOf(input);
      const name = checkName(String(input.name));
      const schedule = String(input.schedule).trim();
      const timeZone = input.time_zone === undefined ? 'UTC' : String(input.time_zone);
      const settings = settingsOf(input.settings);
      const { origin, notes } = readExportSettings(settings);
      const limitSeconds = limitOf(input.limit_minutes) * 60;
      const nextRunAt = nextRun(schedule, timeZone, now());
      await transact(({ cronJobs }) =>
        cronJobs.put(tenantId, { name, schedule, timeZone, limitSeconds, nextRunAt, settings, origin }),
      );
      onChange();
      return { tenant: tenantId, notes, ...jobToJson(await find(tenantId, name), undefined, now()) };
    },

    async 'cron-list'(input) {
      const tenantId = await tenantOf(input);
      const last = await stores.cronRuns.last(tenantId);
      const jobs = await stores.cronJobs.list(tenantId);
      return { tenant: tenantId, jobs: jobs.map((job) => jobToJson(job, last.get(job.name), now())) };
    },

    async 'cron-remove'(input) {
      const tenantId = await tenantOf(input);
      const name = String(input.name);
      if (!(await stores.cronJobs.remove(tenantId, name))) throw cronErrors.unknown({ name: name.slice(0, 100) });
      return { tenant: tenantId, removed: name };
    },

    async 'cron-runs'(input) {
      const tenantId = await tenantOf(input);
      const name = input.name === undefined ? undefined : String(input.name);
      if (name !== undefined) await find(tenantId, name);
      const runs = await stores.cronRuns.newest(
        tenantId,
        name,
        Math.min(MOST_RUNS_SHOWN, Math.max(1, Number(input.runs) || 1)),
      );
      return { tenant: tenantId, runs: runs.map(runToJson) };
    },

    /** A JSON line each line that runs print, as they print it. */
    async 'cron-follow'(input) {
      const tenantId = await tenantOf(input);
      const name = input.name === undefined ? undefined : String(input.name);
      if (name !== undefined) await find(tenantId, name);
      return follow(tenantId, name, Math.min(MOST_RUNS_SHOWN, Math.max(0, Number(input.runs) || 0)));
    },
  };

  async function* follow(tenantId: string, name: string | undefined, past: number): AsyncGenerator<ControlPiece> {
    for await (const lines of followRuns(
      { runs: stores.cronRuns, wait: () => sleep(EVERY_MILLISECONDS) },
      { tenantId, name, past },
    )) {
      for (const line of lines) yield { data: Buffer.from(`${JSON.stringify(line)}\n`) };
      // A caller that went away is noticed where something is sent to it.
      yield { progress: {} };
    }
  }
}

function settingsOf(given: unknown): GivenSettings {
  const settings = isObject(given) ? given : {};
  for (const name of Object.keys(settings)) {
    const nearest = isSetting(name) ? undefined : nearestWord(name, settingNames);
    if (!isSetting(name))
      throw cronErrors.unknownSetting({ name: name.slice(0, 100), hint: nearest ? `; the nearest is ${nearest}` : '' });
  }
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

function limitOf(given: unknown): number {
  const minutes = given === undefined ? DEFAULT_MINUTES : Number(given);
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MOST_MINUTES) throw cronErrors.noLimit();
  return minutes;
}

function jobToJson(job: CronJob, last: CronRun | undefined, now: Date) {
  const { fault } = upcomingRun(job.schedule, job.timeZone, now);
  return {
    name: job.name,
    schedule: job.schedule,
    time_zone: job.timeZone,
    state: fault !== undefined ? 'unreadable' : job.isRunning ? 'running' : 'waiting',
    ...(fault !== undefined && { error: fault }),
    next_run_at: job.nextRunAt.toISOString(),
    limit_minutes: job.limitSeconds / 60,
    /** Their values are shown to nobody. */
    secrets: job.settingNames,
    behind_since: job.behindSince?.toISOString() ?? null,
    ...(last && { last_run: { ...runToJson(last), lines: undefined } }),
  };
}

function runToJson(run: CronRun) {
  return {
    id: run.runId,
    job: run.name,
    started_at: run.startedAt.toISOString(),
    ended_at: run.endedAt?.toISOString() ?? null,
    outcome: run.outcome,
    exit_code: run.exitCode ?? null,
    read: run.read,
    sent: run.sent,
    skipped: run.skipped,
    lag_seconds: run.lagSeconds ?? null,
    ...(run.error !== undefined && { error: run.error }),
    lines: run.lines,
  };
}
