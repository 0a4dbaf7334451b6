import { Auth0Client } from '@auth0/nextjs-auth0/server';

// The rest comes from AUTH0_* and APP_BASE_URL. A domain with a port needs the whole origin and this option.
export const auth0 = new Auth0Client({
  domain: process.env.AUTH0_DOMAIN,
  allowInsecureRequests: true,
  authorizationParameters: {
    scope: 'openid profile email offline_access read:items',
    audience: process.env.AUTH0_AUDIENCE,
  },
});
