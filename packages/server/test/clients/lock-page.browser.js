// Runs in the page (auth0-lock.test.ts): Lock as an application embeds it, with its form in the application's own page.
import { Auth0Lock } from 'auth0-lock';

const { domain, clientId, origin } = await (await fetch('/settings.json')).json();
const lock = new Auth0Lock(clientId, domain, {
  configurationBaseUrl: origin,
  auth: {
    redirectUrl: `${location.origin}/`,
    responseType: 'token id_token',
    params: { scope: 'openid profile email' },
  },
  autoclose: true,
});
const show = (text) => {
  const place = document.querySelector('#who') ?? document.body.appendChild(document.createElement('p'));
  place.id = 'who';
  place.textContent = text;
};
lock.on('authenticated', ({ accessToken }) =>
  lock.getUserInfo(accessToken, (error, profile) => show(error ? `Failed: ${error.code}` : `Hello ${profile.email}`)),
);
lock.on('authorization_error', ({ error, errorDescription }) => show(`Failed: ${error} ${errorDescription ?? ''}`));
window.app = {
  logIn: () => lock.show(),
  renew: () =>
    new Promise((resolve, reject) =>
      lock.checkSession({}, (error, result) => (error ? reject(new Error(error.error)) : resolve(result.accessToken))),
    ),
  logOut: () => lock.logout({ returnTo: `${location.origin}/` }),
};
if (!location.hash) show('Nobody is logged in');
