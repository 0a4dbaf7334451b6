// Raw oidc-provider in memory, without any log: client-credentials tokens as RS256 JWTs for one API, and nothing else.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export interface OidcProviderTask {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly audience: string;
  readonly scope: string;
}

process.on('message', ({ clientId, clientSecret, audience, scope }: OidcProviderTask) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    const provider = new Provider(`http://127.0.0.1:${port}`, {
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      routes: { token: '/oauth/token' },
      features: {
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => audience,
          getResourceServerInfo: () => ({
            audience,
            scope,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 86_400,
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    server.on('request', provider.callback());
    process.send?.({ port });
  });
});
