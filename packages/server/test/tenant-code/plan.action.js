const axios = require('axios');
const jwt = require('jsonwebtoken');

/**
 * Handler that will be called during the execution of a PostLogin flow.
 *
 * @param {Event} event - Details about the user and the context in which they are logging in.
 * @param {PostLoginAPI} api - Interface whose methods can be used to change the behavior of the login.
 */
exports.onExecutePostLogin = async (event, api) => {
  const namespace = 'https://acme.example.com';
  const token = jwt.sign({ scope: 'read:plans' }, event.secrets.SIGNING_KEY, {
    subject: event.user.user_id,
    issuer: event.tenant.id,
    expiresIn: '1m'
  });

  try {
    const { data } = await axios.get(`${event.secrets.PARTNER_API}/plans`, {
      headers: { Authorization: `Bearer ${token}` },
      params: { email: event.user.email },
      timeout: 5000
    });
    api.idToken.setCustomClaim(`${namespace}/plan`, data.plan);
    api.accessToken.setCustomClaim(`${namespace}/plan`, data.plan);
  } catch (err) {
    api.access.deny(`No plan: ${err.message}`);
  }
};
