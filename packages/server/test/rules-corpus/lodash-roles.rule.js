function (user, context, callback) {
  // The global _ is lodash 2: pluck was renamed later.
  var providers = _.pluck(user.identities, 'provider');
  var namespace = 'https://example.com/';
  context.idToken[namespace + 'providers'] = _.uniq(providers);
  context.idToken[namespace + 'version'] = _.VERSION;
  callback(null, user, context);
}
