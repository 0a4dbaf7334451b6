function (user, context, callback) {
  user.app_metadata = user.app_metadata || {};
  user.app_metadata.signed_up = true;
  auth0.users.updateAppMetadata(user.user_id, user.app_metadata)
    .then(function (stored) {
      context.idToken['https://example.com/signed_up'] = stored.app_metadata.signed_up;
      auth0.users.get({ id: user.user_id }, function (err, found) {
        if (err) return callback(err);
        user.found = found.email;
        callback(null, user, context);
      });
    })
    .catch(function (err) { callback(err); });
}
