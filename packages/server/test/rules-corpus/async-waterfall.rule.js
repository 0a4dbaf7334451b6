function collectScores(user, context, callback) {
  async.waterfall([
    function (next) { setTimeout(function () { next(null, 20); }, 5); },
    function (first, next) { next(null, first + 22); }
  ], function (err, total) {
    if (err) return callback(err);
    async.mapSeries([1, 2], function (item, done) { setImmediate(done, null, item * total); }, function (err, list) {
      context.accessToken['https://example.com/scores'] = list;
      callback(err, user, context);
    });
  });
}
