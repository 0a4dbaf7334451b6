function (user, context, callback) {
  // What a caller could not see if two logins shared the settings of one.
  setTimeout(function () {
    user.key = configuration.KEY;
    user.keys = Object.keys(configuration);
    user.id = auth0.accessToken;
    callback(null, user, context);
  }, Number(configuration.WAIT || 0));
}
