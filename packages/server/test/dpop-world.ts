import { type DpopKey, type ProofChanges, proofFor, tokenWithProof } from './dpop.ts';
import { created, createTestClient, type TestClient } from './protocol.ts';
import { startWorld, type World } from './world.ts';

/** An API that binds tokens to whoever proves a key. */
export const API = 'https://dpop.example.com/';
export const TOKEN = { method: 'POST', path: '/oauth/token' } as const;

export type DpopWorld = Awaited<ReturnType<typeof startDpopWorld>>;

/** A world with that API, and a machine that may have its tokens. */
export async function startDpopWorld(key: DpopKey) {
  const world: World = await startWorld();
  const api = await created(
    world.api().post('/resource-servers', {
      identifier: API,
      name: 'DPoP',
      scopes: [{ value: 'read:items' }],
      allow_offline_access: true,
      proof_of_possession: { mechanism: 'dpop', required: false },
    }),
  );
  const machine = await machineFor(API);

  async function machineFor(audience: string, body: Record<string, unknown> = {}): Promise<TestClient> {
    const client = await createTestClient(
      world,
      { app_type: 'non_interactive', grant_types: ['client_credentials'], ...body },
      { mayLogIn: false },
    );
    await created(world.api().post('/client-grants', { client_id: client.client_id, audience, scope: [] }));
    return client;
  }

  const machineForm = (client = machine, audience = API) => ({ grant_type: 'client_credentials', ...client, audience });

  return {
    world,
    machineFor,
    machineForm,
    /** Client credentials with a proof that is sent as it is. */
    async present(changes: ProofChanges = {}, by = key) {
      return world.request({
        ...TOKEN,
        form: machineForm(),
        headers: { dpop: await proofFor(world, by, TOKEN, changes) },
      });
    },
    requirePossession: (rule: Record<string, unknown>) =>
      created(world.api().patch(`/resource-servers/${api.id}`, { proof_of_possession: rule })),
    /** The first-run user's tokens for the single-page application, bound to the key. */
    async spaTokens(parameters: Record<string, string> = {}, by = key) {
      const visitor = world.visitor();
      const login = await visitor.logIn({ parameters: { audience: API, ...parameters } });
      return tokenWithProof(world, by, {
        grant_type: 'authorization_code',
        client_id: world.spa_client.client_id,
        code: login.code,
        code_verifier: login.verifier,
        redirect_uri: 'http://localhost:5555/callback',
      });
    },
    refreshWith: (refreshToken: string, by = key) =>
      tokenWithProof(world, by, {
        grant_type: 'refresh_token',
        client_id: world.spa_client.client_id,
        refresh_token: refreshToken,
      }),
  };
}
