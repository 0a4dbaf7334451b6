import { created, createTestClient, createTestUser } from './protocol.ts';
import { CALLBACK, type Visitor } from './visitor.ts';
import { startWorld, type WorldTenant } from './world.ts';

export type Page = Awaited<ReturnType<Visitor['get']>>;
export type Ask = Readonly<Record<string, string>>;
export type ConsentWorld = Awaited<ReturnType<typeof startConsentWorld>>;

export const API = 'https://bookings.example';
export const SCOPE = 'openid profile offline_access read:bookings';

/** A world with an API, an application of strangers, and users who are brought to its consent page. */
export async function startConsentWorld() {
  const world = await startWorld();
  const stranger = (changes: Record<string, unknown> = {}) =>
    createTestClient(world, {
      name: 'Meridian Travel',
      app_type: 'spa',
      is_first_party: false,
      callbacks: [CALLBACK],
      ...changes,
    });
  const strangers = await stranger();
  await created(
    world.api().post('/resource-servers', {
      identifier: API,
      name: 'Bookings',
      allow_offline_access: true,
      scopes: [{ value: 'read:bookings', description: 'Read your bookings' }, { value: 'change:bookings' }],
    }),
  );
  const request = (changes: Ask = {}): Ask => ({
    client_id: strangers.client_id,
    audience: API,
    scope: SCOPE,
    ...changes,
  });
  let serial = 0;

  return {
    world,
    strangers,
    stranger,
    request,
    /** A new user in a browser of their own, brought to where the consent page is expected. */
    async arrive(parameters: Ask = request(), tenant: WorldTenant = world.main) {
      const person = await createTestUser(world, `guest-${++serial}`);
      const visitor = world.visitor(tenant);
      const begun = await visitor.authorize(parameters);
      const login = await visitor.submit(begun.response, { username: person.email, password: person.password });
      return { person, visitor, verifier: begun.verifier, page: await visitor.follow(login) };
    },
    consentsOf: async (userId: string) =>
      (await world.api().get(`/grants?user_id=${encodeURIComponent(userId)}`)).json(),
  };
}

export const isConsentPage = (page: Page): boolean =>
  page.statusCode === 200 && page.body.includes('action="/u/consent?state=');
export const allow = async (visitor: Visitor, page: Page): Promise<Page> =>
  visitor.follow(await visitor.submit(page, { action: 'accept' }));
export const answerOf = (page: Page): URLSearchParams => new URL(String(page.headers.location)).searchParams;
