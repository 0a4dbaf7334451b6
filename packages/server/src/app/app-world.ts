import type pg from 'pg';
import type { FindModule } from '../actions/build-action.ts';
import type { RunAction } from '../actions/run-action.ts';
import type { BackgroundLimits } from '../actions/running/background.ts';
import type { Config } from '../config.ts';
import type { ContainerLimits } from '../containers/limits.ts';
import type { DnsResolver } from '../custom-domains/domain-proof.ts';
import type { InstallationSecret } from '../keys/installation-secret.ts';
import type { Log } from '../kit/log.ts';
import type { RateLimit } from '../management/rate-bucket-store.ts';
import type { MetricsSnapshot } from '../status/metrics.ts';
import type { Listening } from '../tenants/tenant-directory.ts';

/** What an app is made of that tests own as well: the database, the clock, the ports. */
export interface World {
  readonly pool: pg.Pool;
  readonly poolOptions: pg.PoolConfig;
  readonly secret: InstallationSecret;
  readonly config: Pick<
    Config,
    | 'baseDomain'
    | 'origin'
    | 'trustedProxies'
    | 'clientCertificateHeader'
    | 'metricsToken'
    | 'outgoingAllow'
    | 'egress'
    | 'logFolder'
    | 'datadogAddress'
  >;
  /** The folder of the modules that the operator added for tenant code. */
  readonly addedModules?: string | undefined;
  /** Who is asked for the proof of a custom domain; the machine's own unless said otherwise. */
  readonly resolver?: DnsResolver | undefined;
  /** Which modules actions can have: those of the module store unless said otherwise. */
  readonly findModule?: FindModule | undefined;
  /** How an action is tried, where that is not in a container. */
  readonly runAction?: RunAction | undefined;
  /** Of tenant code, where they are not ours. */
  readonly containerLimits?: Partial<ContainerLimits> | undefined;
  /** Of tenant code that nobody waits for, where they are not ours. */
  readonly backgroundLimits?: Partial<BackgroundLimits> | undefined;
  /** What log streams wait by after a failure, where a test owns chance. */
  readonly streamRandom?: (() => number) | undefined;
  /** Processes that share this machine's cores: GATEWRIGHT_WORKERS. */
  readonly processes: number;
  /** Requests to the Management API, for each tenant; ours unless said otherwise. */
  readonly managementRateLimit?: RateLimit | undefined;
  /** What the other processes behind the same port have counted. */
  readonly snapshotsOfOthers: () => Promise<readonly MetricsSnapshot[]>;
  /** Whether the log is counted, watched and expired as time goes by; otherwise whoever made the app does it. */
  readonly watchesLog?: boolean;
  /** Whether sweeps, logouts and log streams go on by themselves; otherwise every statement is a request's. */
  readonly worksByItself?: boolean;
  /** The ports in use; asked at each request, since they are known only after listening. */
  readonly listening: () => Listening;
  /** Whether all is done that a client may rely on once /health/ready says so. */
  readonly isStarted: () => boolean;
  readonly log: Log;
  readonly now: () => Date;
}
