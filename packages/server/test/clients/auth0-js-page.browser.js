// Runs in the page (auth0-js.test.ts): an application of the years before auth0-spa-js.
import auth0 from 'auth0-js';

const { domain, clientId, audience, connection } = await (await fetch('/settings.json')).json();
const client = new auth0.WebAuth({
  domain,
  clientID: clientId,
  audience,
  redirectUri: `${location.origin}/`,
  responseType: 'token id_token',
  scope: 'openid profile email read:items',
});
const who = document.body.appendChild(document.createElement('p'));
const asPromise = (call) =>
  new Promise((resolve, reject) =>
    call((error, result) =>
      error ? reject(new Error(`${error.code ?? error.error}: ${error.description}`)) : resolve(result),
    ),
  );
window.app = {
  token: '',
  authorize: () => client.authorize({}),
  logIn: (username, password) => asPromise((done) => client.login({ realm: connection, username, password }, done)),
  logInByPopupCredentials: (username, password) =>
    asPromise((done) => client.popup.loginWithCredentials({ connection, username, password }, done)),
  signUpAndLogIn: (email, password) =>
    asPromise((done) => client.redirect.signupAndLogin({ connection, email, password }, done)),
  changePassword: (email) => asPromise((done) => client.changePassword({ connection, email }, done)),
  passwordGrant: (username, password) =>
    asPromise((done) => client.client.login({ realm: connection, username, password }, done)),
  async renew() {
    const result = await asPromise((done) => client.checkSession({}, done));
    window.app.token = result.accessToken;
    return result.accessToken;
  },
  userInfo: () => asPromise((done) => client.client.userInfo(window.app.token, done)),
  async callApi() {
    const response = await fetch('/items', { headers: { authorization: `Bearer ${window.app.token}` } });
    return response.json();
  },
  logOut: () => client.logout({ returnTo: `${location.origin}/` }),
};
try {
  const result = location.hash ? await asPromise((done) => client.parseHash(done)) : undefined;
  if (result) {
    window.app.token = result.accessToken;
    history.replaceState({}, '', '/');
  }
  who.textContent = result ? `Hello ${result.idTokenPayload.email}` : 'Nobody is logged in';
} catch (error) {
  who.textContent = `Failed: ${error.message}`;
}
