function (user, context, callback) {
  const seen = [];
  const clients = ['auth0', 'auth0@2.9.1', 'auth0@2.30.0'].map(function (name) {
    const ManagementClient = require(name).ManagementClient;
    return new ManagementClient({ domain: auth0.domain, token: auth0.accessToken });
  });
  Promise.all(clients.map(function (client) { return client.getUser({ id: user.user_id }); })).then(function (users) {
    user.seen = users.map(function (one) { return one.email; });
    const request = require('request');
    request({ url: auth0.baseUrl + '/users', qs: { q: 'email:ada' }, headers: { Authorization: 'Bearer ' + auth0.accessToken }, json: true }, function (err, res, body) {
      if (err) return callback(err);
      user.listed = [res.statusCode, body.length];
      callback(null, user, context);
    });
  }).catch(callback);
}
