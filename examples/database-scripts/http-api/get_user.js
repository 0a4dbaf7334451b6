// GET /users?email= answers 200 and the user, or 404.
function getUser(email, callback) {
  const request = require('request');
  request(
    {
      url: `${configuration.API_URL}/users`,
      qs: { email },
      headers: { authorization: `Bearer ${configuration.API_KEY}` },
      json: true,
      timeout: 5000,
    },
    (error, response, body) => {
      if (error) return callback(error);
      if (response.statusCode === 404) return callback(null);
      if (response.statusCode !== 200) return callback(new Error(`The people API answers ${response.statusCode}.`));
      const { user_id, nickname, email_verified } = body;
      return callback(null, { user_id: String(user_id), email: body.email, nickname, email_verified });
    },
  );
}
