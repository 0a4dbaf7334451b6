import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoEnvironment } from '../start/start-everything.ts';
import { ask, browserOf, freshToken, questionsTo } from './ask.ts';
import type { Check } from './check.ts';

const AT_ONCE = 1_000;
/** Within the deadline of the question that is held back. */
const HOLD_MILLISECONDS = 6_000;
/** How long a refusal is believed (`refusedSeconds`), less the second that is not counted. */
const REFUSED_MILLISECONDS = 4_000;

export const missCheck: Check = {
  id: 'PWD.5',
  what: 'a hit is served, a miss asks the token service, once however many requests wait',
  async run(demo) {
    const { dev } = demo.environments;
    const token = await freshToken(dev);
    const questions = () => questionsTo(demo, dev);
    const [before, counted] = [questions(), await statsOf(dev)];
    const answers = await missTogether(dev, token);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(questions() - before, 1, 'questions to the token service');
    assert.equal((await browserOf(dev).venues(token)).status, 200);
    const now = await statsOf(dev);
    const [misses, hits] = [now.misses - counted.misses, now.hits - counted.hits];
    assert.equal(now.asked - counted.asked, 1, 'questions of the guard');
    assert.ok(misses >= 1, 'the miss was not counted');
    assert.ok(hits >= 1, 'the request afterwards was no hit');

    const forged = forge(await freshToken(dev));
    const [start, known] = [performance.now(), questions()];
    for (let time = 0; time < 3; time++) assert.equal((await browserOf(dev).venues(forged)).status, 401);
    // A machine that takes longer for three requests is right to ask again.
    const isInTime = performance.now() - start < REFUSED_MILLISECONDS;
    assert.ok(questions() - known === 1 || !isInTime, 'a refused token was asked about again at once');
    return `${AT_ONCE} requests at once with one new token: ${misses} misses, 1 question, all 200; a forged token: 1 question, 401`;
  },
};

/** Many requests with a token that nobody knows; the answer to the question about it is held back until all of them wait for it. */
async function missTogether(environment: DemoEnvironment, token: string) {
  const { venueApi, tokenService } = environment.recorders;
  assert.ok(venueApi && tokenService, 'this check needs recorders');
  const release = tokenService.hold();
  const browser = browserOf(environment);
  const answering = Promise.all(Array.from({ length: AT_ONCE }, () => browser.venues(token)));
  const deadline = performance.now() + HOLD_MILLISECONDS;
  while (venueApi.underWay() < AT_ONCE && performance.now() < deadline) await sleep(5);
  // It has taken in what came before this.
  await ask(`${environment.venueApi}/health/live`);
  release();
  return answering;
}

async function statsOf({ venueApi }: DemoEnvironment): Promise<Readonly<Record<'hits' | 'misses' | 'asked', number>>> {
  const { body } = await ask(`${venueApi}/stats`);
  return { hits: Number(body.hits), misses: Number(body.misses), asked: Number(body.asked) };
}

/** The same claims under a signature that is none of the tenant's. */
function forge(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  return [header, payload, signature.replace(/[A-Za-z]/g, (letter) => (letter === 'A' ? 'B' : 'A'))].join('.');
}
