import type { FaultPlace } from './syntax/syntax-fault.ts';

// What the server asks of a container, and what it gets back. Nothing here throws for what tenant code did.

/** Rules, hooks and database scripts of a tenant share containers, hence `global`; actions have their own. */
export type ContainerPool = 'scripts' | 'actions';

/** `rules`: the whole pipeline is one job. One file each in containers/program/. */
export type JobKind = 'rules' | 'hook' | 'database' | 'action';

/** One rule, one action, one script. */
export interface Part {
  readonly id: string;
  readonly name: string;
  readonly code: string;
  /** Versions that this part's `require('name')` gets, where they differ from the program's. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Modules of the tenant's own: `require('actions:name')`. */
  readonly libraries?: readonly Part[];
}

/** Code crosses once for each container and hash: everything that changes it must change the hash, and nothing else. */
export interface Program {
  readonly hash: string;
  readonly parts: readonly Part[];
  /** Versions that `require('name')` gets, where they differ from the store's own choice. */
  readonly modules?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly tenantId: string;
  readonly pool: ContainerPool;
  readonly kind: JobKind;
  readonly program: Program;
  /** A JSON value. Configuration and secrets belong here: they are never kept with the code. */
  readonly input: unknown;
  /** Wall clock from the moment it is sent; the pool's limit (20 s) unless said otherwise, and never above it. */
  readonly limitMs?: number;
  /** The way to the tenant's own API; none where it is left out. */
  readonly tunnel?: Tunnel;
}

/** The tenant's own Management API and token endpoint, as its code may call them (containers/api-tunnel.ts). */
export interface Tunnel {
  /** The tenant's own hosts, `localhost:3443`: requests of its code to these names take the tunnel. */
  readonly hosts: readonly string[];
  /** Answers one request. What it starts is `depth` deep. */
  readonly answer: (request: TunnelRequest, depth: number) => Promise<TunnelResponse>;
}

export interface TunnelRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface TunnelResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ConsoleLine {
  readonly level: 'log' | 'info' | 'warn' | 'error' | 'debug';
  readonly text: string;
  /** The part that wrote it. */
  readonly part?: PartName;
}

export interface PartName {
  readonly id: string;
  readonly name: string;
}

/** Something that went well and should not be relied on: a second callback, a throw after it, `api` after the end of its action. */
export interface Warning {
  readonly kind: 'callback_twice' | 'threw_after_callback' | 'uncaught' | 'replaced_object' | 'called_late';
  readonly text: string;
  readonly part?: PartName;
}

/** Members that Auth0 passes on from what tenant code threw; bounded texts. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly description?: string;
  readonly statusCode?: number;
  readonly userId?: string;
  /** For the author, never for a caller. */
  readonly stack?: string;
  /** Where the code can't be compiled; for the author as well. */
  readonly place?: FaultPlace;
}

export type FailureKind =
  /** Tenant code threw, rejected, or called back with an error. */
  | 'threw'
  /** The limit passed. The container is gone, `global` with it. */
  | 'timeout'
  /** Another job of the same container ended it. */
  | 'recycled'
  /** The container ended by itself: process.exit, out of memory, killed from outside, a broken protocol. */
  | 'crashed'
  | 'too_much_output'
  /** Too many jobs of this tenant at once, and none of them ended in time. */
  | 'busy'
  /** Too many containers of this tenant had to be ended; refused for a while. */
  | 'circuit_open'
  /** A job that a job of the same tenant began may not begin a third. */
  | 'too_deep'
  | 'input_too_large'
  /** No container can be started on this machine; the error says why. */
  | 'unavailable';

export interface Failure {
  readonly kind: FailureKind;
  /** The part that was running, as far as it is known. */
  readonly part?: PartName;
  readonly error?: ThrownError;
  /** The error without the secrets that the job was given: what is stored of it. */
  readonly logged?: ThrownError;
}

/** Requests of a part to the tenant's own Management API, in this one job. */
export interface ApiCalls {
  readonly part: PartName;
  readonly count: number;
}

interface Ran {
  /** Names it: in the tenant's log, and where what it printed is kept. */
  readonly executionId: string;
  readonly console: readonly ConsoleLine[];
  readonly warnings: readonly Warning[];
  readonly apiCalls: readonly ApiCalls[];
  readonly tookMs: number;
  /** Whether it had to wait for a new container. */
  readonly cold: boolean;
}

export type Outcome =
  | (Ran & { readonly ok: true; readonly result: unknown })
  | (Ran & { readonly ok: false; readonly failure: Failure });

/** What an operator and the tenant's log should know, besides the outcomes. */
export type ContainerEvent =
  | {
      readonly type: 'container_ended';
      readonly tenantId: string;
      readonly pool: ContainerPool;
      readonly reason: 'timeout' | 'too_much_output' | 'protocol' | 'memory' | 'exited' | 'unresponsive';
      readonly detail: string;
      readonly part?: PartName;
    }
  | {
      readonly type: 'circuit_opened';
      readonly tenantId: string;
      readonly pool: ContainerPool;
      readonly forMs: number;
    };

/** A warning that came when the job had been answered: a second callback, a throw in work that was left behind. */
export interface LateWarning {
  readonly type: 'late_warning';
  readonly tenantId: string;
  readonly kind: JobKind;
  readonly warning: Warning;
}

/** The seam to rules, hooks, database scripts and actions. */
export interface Containers {
  execute(job: Job): Promise<Outcome>;
  /** Starts a container of this tenant in advance: while its user still types a password. */
  warm(tenantId: string, pool: ContainerPool): void;
  stats(): ContainerStats;
  stop(): Promise<void>;
}

export interface ContainerStats {
  readonly containers: number;
  readonly blank: number;
  readonly running: number;
  readonly queued: number;
  readonly pids: readonly number[];
}
