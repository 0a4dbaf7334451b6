// An API of yours answers POST /logins with 200 and the user, or with 401.
// configuration: API_URL, for example https://people.intranet:8443, and API_KEY
async function login(email, password, callback) {
  const axios = require('axios');
  try {
    const answer = await axios.post(
      `${configuration.API_URL}/logins`,
      { email, password },
      {
        headers: { authorization: `Bearer ${configuration.API_KEY}` },
        timeout: 5000,
        validateStatus: (status) => status === 200 || status === 401,
      },
    );
    if (answer.status === 401) return callback(new WrongUsernameOrPasswordError(answer.data.user_id));
    const { user_id, nickname, email_verified } = answer.data;
    return callback(null, { user_id: String(user_id), email: answer.data.email, nickname, email_verified });
  } catch (error) {
    return callback(new Error(`The people API does not answer: ${error.message}`));
  }
}
