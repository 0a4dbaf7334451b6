import { CacheAwayError } from '../caches/token-cache.ts';
import type { Answer } from './read-answers.ts';

/** What is asked of a server, without line break and opaque token. */
export interface Question {
  /** Such as `mg <key> v c`. */
  readonly command: string;
  readonly value?: string;
  readonly bytes: number;
  /** The codes that can answer it. */
  readonly answers: readonly string[];
}

/** A question under way. One that was given up keeps its place, so that its late answer meets nobody else. */
export interface Asked {
  readonly question: Question;
  readonly opaque: string;
  /** Only the first outcome counts. */
  readonly settle: (outcome: Answer | CacheAwayError) => void;
  /** Undefined before it is. */
  written: Written | undefined;
}

export interface Written {
  readonly at: number;
  /** What the connection had read until then. */
  readonly bytesRead: number;
}

/** The questions to one server in their order, which is the order of the answers. */
export interface Pipeline {
  add(question: Question, settle: Asked['settle']): Asked;
  /** Those that were not written yet, which are so with this. */
  takeUnwritten(written: Written): string;
  /** Throws where it is not the answer to the oldest question. */
  answer(answer: Answer): void;
  oldest(): Asked | undefined;
  failAll(reason: string): void;
}

/** A server that answers too slowly is not asked ever more: what it can't do in time is refused at once. */
const MAX_QUESTIONS = 10_000;
const MAX_BYTES = 64_000_000;

export function createPipeline(serverName: string): Pipeline {
  let underWay: Asked[] = [];
  let bytesUnderWay = 0;
  let asked = 0;

  return {
    add(question, settle) {
      if (underWay.length >= MAX_QUESTIONS || bytesUnderWay + question.bytes > MAX_BYTES)
        throw new CacheAwayError(`memcached at ${serverName} has too much to do.`);
      asked += 1;
      const added: Asked = {
        question,
        settle,
        opaque: asked.toString(36),
        written: undefined,
      };
      underWay.push(added);
      bytesUnderWay += question.bytes;
      return added;
    },

    takeUnwritten(written) {
      let text = '';
      // They are the last ones: from the end, then in their order.
      let first = underWay.length;
      while (first > 0 && underWay[first - 1]?.written === undefined) first -= 1;
      for (const added of underWay.slice(first)) {
        added.written = written;
        const { command, value } = added.question;
        text += `${command} O${added.opaque}\r\n${value === undefined ? '' : `${value}\r\n`}`;
      }
      return text;
    },

    answer(answer) {
      const answered = underWay.shift();
      if (!answered) throw new Error('it answered what was not asked');
      bytesUnderWay -= answered.question.bytes;
      if (answer.code === 'SERVER_ERROR') {
        // Never with an opaque token; it is in its order, as all answers are.
        answered.settle(new CacheAwayError(`memcached at ${serverName} could not do it: ${answer.message}.`));
        return;
      }
      // A miss has no opaque token before memcached 1.6.18: it too is in its order.
      const isToThis = answer.opaque === answered.opaque || (answer.code === 'EN' && answer.opaque === undefined);
      if (isToThis && answered.question.answers.includes(answer.code)) {
        answered.settle(answer);
        return;
      }
      const mismatch = 'it answered another question';
      answered.settle(new CacheAwayError(`memcached at ${serverName} is away: ${mismatch}.`));
      throw new Error(mismatch);
    },

    oldest: () => underWay[0],

    failAll(reason) {
      const failed = underWay;
      underWay = [];
      bytesUnderWay = 0;
      for (const { settle } of failed) settle(new CacheAwayError(`memcached at ${serverName} is away: ${reason}.`));
    },
  };
}
