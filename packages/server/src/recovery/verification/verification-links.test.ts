import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isGone, linkFor, linkMailedTo, mailsTo } from '../../../test/mails.ts';
import { answer, createTestUser, eventTypesOf } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const PASSWORD = 'A-quite-new-horse-9';
const DAY = 86_400_000;

describe('a link that verifies an address', () => {
  it('marks it verified, once, and says so again afterwards', async () => {
    const { id } = await createTestUser(world, 'verify');
    const path = `/users/${encodeURIComponent(id)}`;
    await world.api().patch(path, { email_verified: false });
    const link = await linkFor(world, 'email-verification', { user_id: id });
    const visitor = world.visitor();
    expect((await world.request({ method: 'HEAD', path: link })).statusCode).toBe(200);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: false });
    const types = await eventTypesOf(world, async () => {
      const page = await visitor.get(link);
      expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('Your email address is verified')]);
      const again = await visitor.get(link);
      expect([again.statusCode, again.body]).toEqual([200, expect.stringContaining('is verified already')]);
    });
    expect(types).toEqual(['sv']);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: true });
  });

  it('sends on to result_url with what came of it, and nowhere when it is none', async () => {
    const { id, email } = await createTestUser(world, 'result');
    const result_url = 'https://app.example/verified?from=mail';
    const link = await linkFor(world, 'email-verification', { user_id: id, result_url });
    const { location } = (await world.visitor().get(link)).headers;
    const target = new URL(String(location));
    expect(target.origin + target.pathname).toBe('https://app.example/verified');
    expect(Object.fromEntries(target.searchParams)).toMatchObject({ from: 'mail', success: 'true', email });
    const quiet = await linkFor(world, 'email-verification', {
      user_id: id,
      result_url,
      includeEmailInRedirect: false,
    });
    expect(String((await world.visitor().get(quiet)).headers.location)).not.toContain('email=');
    const old = await world.visitor().get(link);
    expect([old.statusCode, old.headers.location]).toEqual([200, undefined]);
    expect(old.body).toContain('is verified already');
    for (const stale of ['/u/email-verification?ticket=x', '/u/email-verification']) {
      const page = await world.visitor().get(stale);
      expect([page.statusCode, page.headers.location]).toEqual([400, undefined]);
    }
  });

  it('that a younger one took the place of says that it does not work, and once the address is verified that it is', async () => {
    const { id } = await createTestUser(world, 'impatient');
    const path = `/users/${encodeURIComponent(id)}`;
    await world.api().patch(path, { email_verified: false });
    const [first, second, third] = [
      await linkFor(world, 'email-verification', { user_id: id }),
      await linkFor(world, 'email-verification', { user_id: id }),
      await linkFor(world, 'email-verification', { user_id: id }),
    ];
    isGone(await world.visitor().get(first));
    expect((await world.visitor().get(third)).statusCode).toBe(200);
    const types = await eventTypesOf(world, async () => {
      for (const old of [first, second]) {
        const page = await world.visitor().get(old);
        expect([page.statusCode, page.body]).toEqual([200, expect.stringContaining('is verified already')]);
      }
    });
    expect(types).toEqual([]);
    await world.api().patch(path, { email: 'impatient-no-more@example.org', email_verified: true });
    isGone(await world.visitor().get(first));
  });

  it('ends with a change of the address, and leaves fv', async () => {
    const { id } = await createTestUser(world, 'moving');
    const path = `/users/${encodeURIComponent(id)}`;
    const link = await linkFor(world, 'email-verification', { user_id: id });
    await world.api().patch(path, { email: 'moving-on@example.org' });
    const types = await eventTypesOf(world, async () => {
      expect((await world.visitor().get(link)).statusCode).toBe(400);
    });
    expect(types).toEqual(['fv']);
    expect((await world.api().get(path)).json()).toMatchObject({ email_verified: false });
  });

  it('is mailed to who signs up, in the language of the browser, and by POST /jobs/verification-email', async () => {
    await world.api().patch('/tenants/settings', { enabled_locales: ['en', 'de'] });
    const email = 'neu@example.org';
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ screen_hint: 'signup', ui_locales: 'de' });
    await visitor.submit(response, { email, password: PASSWORD });
    const [mail] = await mailsTo(world, email);
    expect(mail).toMatchObject({ template: 'verify_email', language: 'de' });
    expect(mail?.subject).toContain('Bestätigen Sie Ihre E-Mail-Adresse');
    const [{ user_id }] = (await world.api().get(`/users-by-email?email=${email}`)).json();
    const types = await eventTypesOf(world, async () => {
      const job = await answer(world.api('update:users').post('/jobs/verification-email', { user_id }));
      expect(job).toMatchObject({
        status: 201,
        body: { type: 'verification_email', id: expect.stringMatching(/^job_/) },
      });
      const { id } = Object(job.body);
      expect((await world.api('read:users').get(`/jobs/${id}`)).json()).toMatchObject({ id, status: 'completed' });
    });
    expect(types).toEqual(['svr']);
    expect((await visitor.get(await linkMailedTo(world, email))).statusCode).toBe(200);
    await world.api().patch('/tenants/settings', { enabled_locales: ['en'] });
  });

  it.each([
    ['a new user', {}, 1],
    ['a new user whose address is proved', { email_verified: true }, 0],
    ['a new user who shall get no mail', { verify_email: false }, 0],
    ['a new user who shall get one all the same', { verify_email: true }, 1],
  ])('is mailed by POST /users to %s as the creator says', async (what, body, count) => {
    const email = `made-${what.replaceAll(' ', '-')}@example.org`;
    const made = await world.api().post('/users', { connection: world.connection, email, password: PASSWORD, ...body });
    expect(await mailsTo(world, email)).toHaveLength(count);
    const path = `/users/${encodeURIComponent(made.json().user_id)}`;
    const moved = `moved-${email}`;
    await world.api().patch(path, { email: moved });
    expect(await mailsTo(world, moved)).toEqual([]);
    await world.api().patch(path, { email: `again-${email}`, verify_email: true });
    expect(await mailsTo(world, `again-${email}`)).toHaveLength(1);
  });

  it('ends after five days', async () => {
    const { id } = await createTestUser(world, 'days');
    await world.api().patch(`/users/${encodeURIComponent(id)}`, { email_verified: false });
    const link = await linkFor(world, 'email-verification', { user_id: id });
    world.advance(5 * DAY + 1_000);
    const page = await world.visitor().get(link);
    expect([page.statusCode, page.body]).toEqual([400, expect.stringContaining('This link has expired')]);
  });
});
