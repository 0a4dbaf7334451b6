function (user, context, callback) {
  request.get({
    url: configuration.SCORE_URL + '/score',
    qs: { email: user.email },
    headers: { authorization: 'Bearer ' + configuration.SCORE_KEY },
    json: true,
    timeout: 5000
  }, function (err, response, body) {
    if (err) return callback(err);
    if (response.statusCode !== 200) return callback(new Error('score: ' + response.statusCode));
    user.score = body;
    callback(null, user, context);
  });
}
