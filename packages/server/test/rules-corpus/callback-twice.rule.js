function (user, context, callback) {
  if (!context.request.query.prompt) {
    setImmediate(function () { callback(null, user, context); });
  }
  user.first = true;
  callback(null, user, context);
}
