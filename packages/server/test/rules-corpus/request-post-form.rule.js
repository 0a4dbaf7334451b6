function (user, context, callback) {
  const request = require('request');
  request({ method: 'POST', url: configuration.SCORE_URL + '/form', form: { user: user.user_id } }, function (err, res, body) {
    if (err) return callback(err);
    user.answer = JSON.parse(body);
    return callback(null, user, context);
  });
}
