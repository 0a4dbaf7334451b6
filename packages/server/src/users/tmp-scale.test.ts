import { sql } from 'kysely';
import { afterAll, beforeAll, it } from 'vitest';
import { type DirectoryApp, startDirectoryApp } from './directory-test-app.ts';

let world: DirectoryApp;
beforeAll(async () => {
  world = await startDirectoryApp();
});
afterAll(() => world.stop());
it('scale', async () => {
  const c = await world.connection('people');
  await world.connection('gatewright-admins', {}, true);
  await sql`insert into users (tenant_id,user_id,email,email_verified,phone_verified,blocked,profile,user_metadata,app_metadata) select 'acme','auth0|'||g,'user'||g||'@example.com',false,false,false,jsonb_build_object('name','User '||g),'{}', jsonb_build_object('n', g) from generate_series(1,200000) g`.execute(
    world.db,
  );
  await sql`insert into user_identities (tenant_id,provider,identity_user_id,user_id,connection_id,email_key) select 'acme','auth0',g::text,'auth0|'||g,${c.id},'user'||g||'@example.com' from generate_series(1,200000) g`.execute(
    world.db,
  );
  await sql`analyze users, user_identities, connections`.execute(world.db);
  const api = world.api('read:users');
  const time = async (what: string, run: () => Promise<unknown>) => {
    await run();
    const t = performance.now();
    await run();
    await run();
    await run();
    console.log(what, ((performance.now() - t) / 3).toFixed(1), 'ms');
  };
  await time('list+totals', () => api.get('/users?include_totals=true'));
  await time('page 9', () => api.get('/users?per_page=100&page=9'));
  await time('by id', () => api.get('/users/auth0%7C777'));
  await time('by email', () => api.get('/users-by-email?email=user777@example.com'));
  await time('q email', () => api.get('/users?q=email:%22user777@example.com%22'));
  await time('q email totals', () => api.get('/users?include_totals=true&q=email:%22user777@example.com%22'));
  await time('q name infix totals', () => api.get('/users?include_totals=true&q=name:*777*'));
  await time('q app_metadata totals', () => api.get('/users?include_totals=true&q=app_metadata.n:777'));
  await time('connection', () => api.get('/users?include_totals=true&connection=people'));
  const bomb = Array.from({ length: 20 }, (_, n) => `app_metadata.a${n}:*abc${n}*`).join(' OR ');
  await time('bomb', async () =>
    console.log((await api.get(`/users?include_totals=true&q=${encodeURIComponent(bomb)}`)).status),
  );
  await time('sort name', () => api.get('/users?sort=name:1'));
  await time('login', () =>
    world.stores.users.findLogin('acme', c.id, {
      email: 'user777@example.com',
      username: 'user777@example.com',
      phone: undefined,
    }),
  );
  const t = performance.now();
  await world.api('delete:connections').delete(`/connections/${c.id}`);
  console.log('delete connection', performance.now() - t);
}, 300_000);
