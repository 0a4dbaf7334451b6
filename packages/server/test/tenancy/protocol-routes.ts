/** Routes outside the Management API that answer the same to everybody: they show nothing but the tenant that is asked. */
export const PUBLIC_ROUTES: readonly string[] = [
  ...readable('/health/live'),
  ...readable('/health/ready'),
  ...readable('/test'),
  ...readable('/testall'),
  // Of the whole installation, and to its operator alone.
  ...readable('/metrics'),
  ...readable('/.well-known/security.txt'),
  ...readable('/.well-known/openid-configuration'),
  ...readable('/.well-known/oauth-authorization-server'),
  ...readable('/.well-known/jwks.json'),
  ...readable('/pem'),
  ...readable('/cer'),
  ...readable('/pb7'),
  ...readable('/rawpem'),
  ...readable('/u/static/{}'),
  ...readable('/activate/success'),
  ...readable('/activate/failure'),
  'OPTIONS /.well-known/openid-configuration',
  'OPTIONS /.well-known/oauth-authorization-server',
  'OPTIONS /.well-known/jwks.json',
  'OPTIONS /userinfo',
  'POST /dbconnections/signup/challenge',
  'OPTIONS /dbconnections/signup/challenge',
  'POST /dbconnections/change_password/challenge',
  'OPTIONS /dbconnections/change_password/challenge',
];

/** Routes that take a cookie, a link or a person: foreign-browsers.test.ts brings them another tenant's. */
export const BROWSER_ROUTES: readonly string[] = [
  'GET /authorize/resume',
  'GET /continue',
  'POST /continue',
  'GET /u/login',
  'POST /u/login',
  'GET /u/signup',
  'POST /u/signup',
  'GET /u/login-select-account',
  'POST /u/login-select-account',
  'GET /u/consent',
  'POST /u/consent',
  'GET /u/reset-password/request',
  'POST /u/reset-password/request',
  'GET /u/reset-verify',
  'GET /u/reset-password/change',
  'POST /u/reset-password/change',
  'GET /u/email-verification',
  'POST /dbconnections/signup',
  'OPTIONS /dbconnections/signup',
  'POST /dbconnections/change_password',
  'OPTIONS /dbconnections/change_password',
  'GET /v2/logout',
  'GET /oidc/logout',
  'POST /oidc/logout',
  'POST /u/logout',
  'GET /user/ssodata',
];

/** All that take something of a tenant: foreign-credentials.test.ts brings the others another tenant's client, code or token. */
export const CREDENTIAL_ROUTES: readonly string[] = [
  ...BROWSER_ROUTES,
  'GET /authorize',
  'POST /authorize',
  'POST /oauth/device/code',
  'GET /activate',
  'POST /activate',
  'POST /activate/confirm',
  'POST /co/authenticate',
  'OPTIONS /co/authenticate',
  'POST /usernamepassword/login',
  'OPTIONS /usernamepassword/login',
  'POST /login/callback',
  'GET /client/{}',
  'POST /oauth/token',
  'OPTIONS /oauth/token',
  'POST /oauth/par',
  'POST /oauth/revoke',
  'OPTIONS /oauth/revoke',
  'POST /oauth/introspect',
  'POST /oauth/ro',
  'POST /oauth/access_token',
  'POST /delegation',
  'POST /users/{}/impersonate',
  'GET /tokeninfo',
  'POST /tokeninfo',
  'GET /userinfo',
  'POST /userinfo',
];

/** A HEAD of a page runs nothing (head-requests.test.ts); any other is a GET whose body is not sent. */
export const HEAD_ROUTES: readonly string[] = CREDENTIAL_ROUTES.filter((route) => route.startsWith('GET ')).map(
  (route) => route.replace('GET', 'HEAD'),
);

function readable(path: string): string[] {
  return [`GET ${path}`, `HEAD ${path}`];
}
