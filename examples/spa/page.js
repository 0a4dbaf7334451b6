// An unchanged auth0-spa-js against Gatewright: only `domain` differs from a page that uses Auth0.
const settings = await (await fetch('/settings.json')).json();
const element = (id) => document.getElementById(id);

const client = await window.auth0.createAuth0Client({
  domain: settings.domain,
  clientId: settings.clientId,
  useRefreshTokens: true,
  cacheLocation: 'localstorage',
  authorizationParams: {
    redirect_uri: `${location.origin}/`,
    audience: settings.audience,
    scope: `openid profile email ${settings.scopes.join(' ')}`,
  },
});

const query = new URLSearchParams(location.search);
if (query.has('state') && (query.has('code') || query.has('error'))) {
  try {
    await client.handleRedirectCallback();
  } catch (error) {
    show({ error: error.error, description: error.message });
  }
  history.replaceState(null, '', '/');
}

const user = await client.getUser();
element('who').textContent = user ? `Hello ${user.email}` : `Nobody is logged in. The first user is ${settings.user}.`;
for (const id of user ? ['token', 'logout'] : ['login', 'signup']) element(id).hidden = false;
if (user) show(user);

element('login').onclick = () => client.loginWithRedirect();
element('signup').onclick = () => client.loginWithRedirect({ authorizationParams: { screen_hint: 'signup' } });
element('logout').onclick = () => client.logout({ logoutParams: { returnTo: `${location.origin}/` } });
element('token').onclick = async () => {
  const token = await client.getTokenSilently({ cacheMode: 'off' });
  show(JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))));
};

function show(value) {
  element('shown').hidden = false;
  element('shown').textContent = JSON.stringify(value, null, 2);
}
