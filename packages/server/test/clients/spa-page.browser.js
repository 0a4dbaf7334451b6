// Runs in the page (auth0-spa-js.test.ts): an application of a customer's, on the unmodified library.
(async () => {
  const { domain, clientId, audience, cacheLocation, useRefreshTokens } = await (await fetch('/settings.json')).json();
  const client = await auth0.createAuth0Client({
    domain,
    clientId,
    useRefreshTokens,
    cacheLocation,
    authorizationParams: {
      redirect_uri: `${location.origin}/`,
      audience,
      scope: `openid profile email${useRefreshTokens ? ' offline_access' : ''} read:items`,
    },
  });
  const show = (text) => {
    document.querySelector('#who').textContent = text;
  };
  try {
    if (location.search.includes('state=')) {
      await client.handleRedirectCallback();
      history.replaceState({}, '', '/');
    }
    const user = await client.getUser();
    show(user === undefined ? 'Nobody is logged in' : `Hello ${user.email}`);
  } catch (error) {
    show(`Failed: ${error.error ?? error.message}`);
  }
  document.querySelector('#log-in').onclick = () => client.loginWithRedirect();
  document.querySelector('#pop-up').onclick = async () => {
    await client.loginWithPopup();
    show(`Hello ${(await client.getUser()).email}`);
  };
  document.querySelector('#log-out').onclick = () =>
    client.logout({ logoutParams: { returnTo: `${location.origin}/` } });
  window.app = {
    token: () => client.getTokenSilently(),
    renew: () => client.getTokenSilently({ cacheMode: 'off' }),
    /** What the library says when the iframe brings an error. */
    renewalError: () =>
      client.getTokenSilently({ cacheMode: 'off', timeoutInSeconds: 10 }).then(
        () => undefined,
        ({ error }) => error,
      ),
    isLoggedIn: () => client.isAuthenticated(),
    refreshToken: () =>
      Object.values(localStorage)
        .map((entry) => JSON.parse(entry).body?.refresh_token)
        .find(Boolean),
    async callApi() {
      const authorization = `Bearer ${await client.getTokenSilently()}`;
      const response = await fetch('/items', { headers: { authorization } });
      return response.json();
    },
    /** Past the library and its lock: what two pages do that know nothing of each other. */
    async redeem(refreshToken) {
      const origin = /^https?:/.test(domain) ? domain : `https://${domain}`;
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: refreshToken,
      });
      const response = await fetch(`${origin}/oauth/token`, { method: 'POST', body });
      return { status: response.status, ...(await response.json()) };
    },
  };
})();
