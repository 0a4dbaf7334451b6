/** Every number of the containers in one place; tests inject smaller ones. */
export interface ContainerLimits {
  /** Wall clock for one job, from the moment it is sent (Auth0: about 20 s for the whole pipeline). */
  readonly jobMs: number;
  /** How long a job may wait for a place, or for a container. */
  readonly queueMs: number;
  /** From spawn to the first line. */
  readonly startMs: number;
  readonly heartbeatMs: number;
  /** Silence after which a container that owes nothing is ended: something runs in it that nobody waits for. */
  readonly silenceMs: number;
  readonly maxAgeMs: number;
  readonly maxJobs: number;
  readonly maxPrograms: number;
  readonly idleMs: number;
  readonly containersPerPool: number;
  /** Of all tenants together. */
  readonly containers: number;
  readonly jobsPerPool: number;
  readonly queuePerPool: number;
  readonly killsUntilOpen: number;
  readonly killWindowMs: number;
  readonly openMs: number;
  readonly consoleBytes: number;
  readonly resultBytes: number;
  readonly inputBytes: number;
  readonly lineBytes: number;
  /** What may wait for a container that does not read: more than the largest inputs of all jobs that it may have, and its tunnel. */
  readonly unreadBytes: number;
  readonly callsPerJob: number;
  readonly callBytes: number;
  /** Tunnelled connections of one container. */
  readonly connections: number;
  /** Bytes of a tunnelled connection under way in each direction. */
  readonly windowBytes: number;
  /**
   * Private writable memory (RLIMIT_DATA). V8 reserves 512 MB of it for machine code, threads' stacks take 60 to 100 (more
   * on many cores): what is left is for code. All modules of the store together take 200.
   */
  readonly dataMegabytes: number;
  readonly heapMegabytes: number;
  readonly residentBytes: number;
  /** Between two looks at who takes a core for itself. */
  readonly watchMs: number;
  /** Priority of code that answers, from the end of its container's start: hashing of passwords runs at 10, the server at 0. */
  readonly ordinaryNice: number;
  /** Priority of code that wants a core for longer than `greedyMs`, in a container that never answered `greedyStartMs`. */
  readonly greedyNice: number;
  readonly greedyMs: number;
  readonly greedyStartMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const MEBIBYTE = 1024 * 1024;

export const LIMITS: ContainerLimits = {
  jobMs: 20 * SECOND,
  queueMs: 20 * SECOND,
  startMs: 10 * SECOND,
  heartbeatMs: SECOND,
  silenceMs: 20 * SECOND,
  maxAgeMs: 60 * MINUTE,
  maxJobs: 10_000,
  maxPrograms: 100,
  idleMs: 5 * MINUTE,
  containersPerPool: 2,
  containers: 32,
  jobsPerPool: 20,
  queuePerPool: 200,
  killsUntilOpen: 5,
  killWindowMs: MINUTE,
  openMs: MINUTE,
  consoleBytes: 256 * 1024,
  resultBytes: MEBIBYTE,
  inputBytes: MEBIBYTE,
  lineBytes: MEBIBYTE + 128 * 1024,
  unreadBytes: 48 * MEBIBYTE,
  callsPerJob: 20,
  callBytes: MEBIBYTE,
  connections: 50,
  windowBytes: 256 * 1024,
  dataMegabytes: 1024,
  heapMegabytes: 128,
  residentBytes: 512 * MEBIBYTE,
  watchMs: 100,
  ordinaryNice: 10,
  greedyNice: 19,
  greedyMs: 250,
  greedyStartMs: 500,
};
