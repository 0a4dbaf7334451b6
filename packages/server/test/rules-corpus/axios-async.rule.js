async function (user, context, callback) {
  const versions = ['axios', 'axios@0.21.1', 'axios@0.27.2'];
  try {
    user.seen = [];
    for (const name of versions) {
      const axios = require(name);
      const { data, status } = await axios.post(configuration.SCORE_URL + '/json', { user: user.user_id }, { headers: { 'x-key': '1' }, timeout: 5000 });
      user.seen.push(status, data.body.user);
    }
    const refused = await require('axios').get(configuration.SCORE_URL + '/missing').catch((err) => err);
    user.refused = [refused.response.status, refused instanceof Error];
    return callback(null, user, context);
  } catch (err) {
    return callback(err);
  }
}
