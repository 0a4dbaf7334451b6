// Runs in the page (auth0-react.test.ts): a React application of a customer's, on the unmodified library.
import { Auth0Provider, useAuth0, withAuthenticationRequired } from '@auth0/auth0-react';
import { createElement as element, useState } from 'react';
import { createRoot } from 'react-dom/client';

const button = (label, onClick) => element('button', { type: 'button', onClick }, label);

function Items() {
  const { getAccessTokenSilently } = useAuth0();
  const [answer, setAnswer] = useState('');
  const call = async (options) => {
    const token = await getAccessTokenSilently(options);
    const response = await fetch('/items', { headers: { authorization: `Bearer ${token}` } });
    const { scope = 'refused' } = await response.json();
    setAnswer((before) => `${before} [${scope}${token === window.lastToken ? ' again' : ''}]`);
    window.lastToken = token;
  };
  return element(
    'section',
    null,
    button('Show the items', () => call({})),
    button('Renew and show the items', () => call({ cacheMode: 'off' })),
    element('p', { id: 'answer' }, answer),
  );
}

const GuardedItems = withAuthenticationRequired(Items);

function Page() {
  const { isLoading, isAuthenticated, error, user, loginWithRedirect, logout } = useAuth0();
  if (isLoading) return element('p', null, 'Loading');
  if (error) return element('p', null, `Failed: ${error.message}`);
  if (!isAuthenticated)
    return element(
      'main',
      null,
      element('p', null, 'Nobody is logged in'),
      button('Log in', () => loginWithRedirect()),
    );
  return element(
    'main',
    null,
    element('p', null, `Hello ${user.email}`),
    element(GuardedItems),
    button('Log out', () => logout({ logoutParams: { returnTo: `${location.origin}/` } })),
  );
}

const { domain, clientId, audience, cacheLocation } = await (await fetch('/settings.json')).json();
createRoot(document.querySelector('#root')).render(
  element(
    Auth0Provider,
    {
      domain,
      clientId,
      cacheLocation,
      useRefreshTokens: cacheLocation === 'localstorage',
      authorizationParams: {
        redirect_uri: `${location.origin}/`,
        audience,
        scope: 'openid profile email read:items',
      },
    },
    element(Page),
  ),
);
