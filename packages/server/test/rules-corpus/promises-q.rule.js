function (user, context, callback) {
  q.all([q(1), q.delay(2, 5), q.nfcall(function (done) { done(null, 3); })])
    .then(function (list) { user.list = list; })
    .fail(function (err) { user.failed = err.message; })
    .finally(function () { callback(null, user, context); });
}
