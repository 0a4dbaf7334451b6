import { isObject, numberOf, objectOf } from '../../kit/json-values.ts';
import type { Containers, Job, Outcome, Part, ThrownError } from '../job.ts';
import { type CheckSyntax, createSyntaxCheck } from './check-syntax.ts';
import { faultAsStack, type SyntaxFault } from './syntax-fault.ts';

/** Containers that say of code that can't be compiled where its mistake is, and of any code whether it has one. */
export function placingFaults<Inner extends Pick<Containers, 'execute' | 'stop'>>(containers: Inner) {
  const syntax = createSyntaxCheck();
  const placeFault = createFaultPlacing(syntax.check);
  return {
    ...containers,
    checkSyntax: syntax.check,
    execute: async (job: Job): Promise<Outcome> => placeFault(job, await containers.execute(job)),
    async stop(): Promise<void> {
      await Promise.all([syntax.stop(), containers.stop()]);
    },
  };
}

/** The runtime says of code that can't be compiled what is wrong with it, and never where: this looks for the place. */
function createFaultPlacing(check: CheckSyntax) {
  return async function placeFault(job: Job, outcome: Outcome): Promise<Outcome> {
    if (outcome.ok)
      return job.kind === 'action' ? { ...outcome, result: await placeInReports(job, outcome.result) } : outcome;
    const { failure } = outcome;
    const part = job.program.parts.find(({ id }) => id === failure.part?.id);
    const error = await placed(job, part, failure.error);
    return error ? { ...outcome, failure: { ...failure, error } } : outcome;
  };

  /** Actions report what they failed with; the last one of those that ran did. */
  async function placeInReports(job: Job, result: unknown): Promise<unknown> {
    const { reports } = objectOf(result);
    const last: unknown = Array.isArray(reports) ? reports.at(-1) : undefined;
    if (!Array.isArray(reports) || !isObject(last) || !isObject(last.error)) return result;
    const { error } = last;
    const first = numberOf(objectOf(job.input).from) ?? 0;
    const part = job.program.parts[first + reports.length - 1];
    const found = await placed(job, part, { ...error, name: String(error.name), message: String(error.message) });
    return found ? { ...objectOf(result), reports: [...reports.slice(0, -1), { ...last, error: found }] } : result;
  }

  async function placed(
    { tenantId, kind }: Job,
    part: Part | undefined,
    error: ThrownError | undefined,
  ): Promise<ThrownError | undefined> {
    // Code that can be compiled throws such errors, too: JSON.parse does.
    if (error?.name !== 'SyntaxError' || !part) return undefined;
    const isExpression = kind === 'rules' || kind === 'database';
    const own = await check(tenantId, part.code, isExpression ? 'expression' : 'module');
    if (own) return withPlace(error, part.name, own);
    for (const library of part.libraries ?? []) {
      const fault = await check(tenantId, library.code, 'library');
      if (fault) return withPlace(error, library.name, fault);
    }
    return undefined;
  }
}

function withPlace(error: ThrownError, name: string, fault: SyntaxFault): ThrownError {
  const { message, place } = fault;
  return {
    ...error,
    // Without the line itself: some callers are told the message.
    message: `${message} (${name}, line ${place.line}, column ${place.column})`,
    stack: faultAsStack(name, fault),
    place,
  };
}
