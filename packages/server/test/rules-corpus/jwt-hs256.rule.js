function (user, context, callback) {
  // jsonwebtoken 5 and older had expiresInMinutes.
  var token = jwt.sign({ scope: 'delegated' }, configuration.JWT_SECRET, { expiresInMinutes: 5, subject: user.user_id, audience: 'urn:legacy' });
  var read = jwt.verify(token, configuration.JWT_SECRET, { audience: 'urn:legacy' });
  user.token = { sub: read.sub, life: read.exp - read.iat, scope: read.scope };
  callback(null, user, context);
}
