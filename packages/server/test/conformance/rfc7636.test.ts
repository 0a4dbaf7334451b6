import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLBACK, type Visitor } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { type Application, createApplication, redeem } from './code-flow.ts';

let world: World;
let browser: Visitor;
let web: Application;
beforeAll(async () => {
  world = await startWorld();
  browser = world.visitor();
  await browser.logIn();
  web = await createApplication(world, { app_type: 'regular_web', callbacks: [CALLBACK] });
});
afterAll(() => world.stop());

const s256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
/** RFC 7636 appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

async function codeFor(parameters: Record<string, string>): Promise<string> {
  const { answer } = await browser.authorize(parameters);
  return answer?.get('code') ?? expect.unreachable(`No code: ${answer}`);
}

const refused = { error: 'invalid_grant', error_description: 'Failed to verify code verifier' };

describe('a code challenge (RFC 7636 sections 4.3 and 4.4)', () => {
  it('of S256 binds the code to its verifier', async () => {
    const code = await codeFor({ code_challenge: CHALLENGE });
    expect((await redeem(world, { code, verifier: VERIFIER })).statusCode).toBe(200);
  });

  it.each([
    ['plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
    ['no method, which means plain', { code_challenge: VERIFIER, code_challenge_method: '' }],
    ['an unknown method', { code_challenge_method: 's256' }],
    ['a method without a challenge', { code_challenge: '' }],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }],
    ['padding', { code_challenge: `${CHALLENGE}=` }],
  ])('with %s is an invalid request', async (_what, parameters) => {
    const { answer } = await browser.authorize(parameters);
    expect([answer?.get('error'), answer?.has('code')]).toEqual(['invalid_request', false]);
  });

  it('is required of a public client', async () => {
    const { answer } = await browser.authorize({ code_challenge: '', code_challenge_method: '' });
    expect(answer?.get('error')).toBe('invalid_request');
    expect(answer?.get('error_description')).toMatch(/code_challenge/);
  });
});

describe('a code verifier (RFC 7636 sections 4.1, 4.5 and 4.6)', () => {
  it.each([
    ['another one', 'another-verifier-of-the-right-length-0123456789'],
    ['the challenge itself', CHALLENGE],
    ['none', ''],
    ['a longer one', `${VERIFIER}x`],
    ['one in another case', VERIFIER.toLowerCase()],
  ])('is compared before a token is given: %s is refused', async (_what, verifier) => {
    const code = await codeFor({ code_challenge: CHALLENGE });
    const response = await redeem(world, { code, verifier });
    expect([response.statusCode, response.json()]).toEqual([403, refused]);
  });

  it.each([
    ['42 characters', 'a'.repeat(42)],
    ['129 characters', 'a'.repeat(129)],
    ['a character that is not unreserved', `${'a'.repeat(50)}+`],
  ])('of %s is refused although its hash fits', async (_what, verifier) => {
    const code = await codeFor({ code_challenge: s256(verifier) });
    expect((await redeem(world, { code, verifier })).json()).toEqual(refused);
  });

  it.each(['a'.repeat(43), 'Az09-._~'.repeat(16)])(
    'of 43 to 128 unreserved characters is accepted',
    async (verifier) => {
      const code = await codeFor({ code_challenge: s256(verifier) });
      expect((await redeem(world, { code, verifier })).statusCode).toBe(200);
    },
  );

  it('is refused for a code that was asked for without a challenge', async () => {
    const code = await codeFor({ client_id: web.client_id, code_challenge: '', code_challenge_method: '' });
    expect((await redeem(world, { code, verifier: VERIFIER }, { ...web })).json()).toEqual(refused);
    expect((await redeem(world, { code, verifier: '' }, { ...web })).statusCode).toBe(200);
  });
});
