import type { JobKind, Part, PartName, ThrownError, Warning } from './job.ts';

// One JSON object a line, over stdin and stdout of the container. Ids of jobs are 128 random bits: tenant code shares
// its process with the loop that reads and writes them, and must not guess those of others.

export type ToContainer =
  | { readonly type: 'bind'; readonly targets: readonly string[]; readonly opener: Opener }
  | ({ readonly type: 'program' } & ProgramMessage)
  | RunMessage
  | { readonly type: 'ping'; readonly beat: string }
  | ConnectionMessage;

/** Who opens a target that is closed: the operator of a server, or whoever tries code, by an option of the command. */
export type Opener = 'operator' | 'option';

export interface ProgramMessage {
  readonly hash: string;
  readonly parts: readonly Part[];
  readonly modules: Readonly<Record<string, string>>;
}

export interface RunMessage {
  readonly type: 'run';
  readonly id: string;
  readonly kind: JobKind;
  readonly hash: string;
  readonly input: unknown;
  readonly hosts: readonly string[];
  readonly limitMs: number;
}

/** Of a tunnelled connection; each side sends at most a window that the other one has not acknowledged. */
export type ConnectionMessage =
  | { readonly type: 'data'; readonly id: string; readonly bytes: string }
  | { readonly type: 'ack'; readonly id: string; readonly bytes: number }
  | { readonly type: 'opened'; readonly id: string }
  | { readonly type: 'end'; readonly id: string }
  | { readonly type: 'closed'; readonly id: string; readonly error?: string };

export type FromContainer =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly id: string; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: string; readonly part?: PartName; readonly error: ThrownError }
  | { readonly type: 'oversized'; readonly id: string }
  | { readonly type: 'at'; readonly id: string; readonly part: PartName }
  | { readonly type: 'console'; readonly id: string; readonly level: string; readonly text: string }
  | ({ readonly type: 'warning'; readonly id: string } & Warning)
  | { readonly type: 'pong'; readonly beat: string }
  | { readonly type: 'open'; readonly id: string; readonly run: string; readonly target: string }
  | ConnectionMessage;
