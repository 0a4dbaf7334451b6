function enrichProfileFromPartner(user, context, callback) {
  // Skip for machine to machine and silent renewals of other applications.
  if (context.clientName === 'Internal reports') {
    return callback(null, user, context);
  }

  const request = require('request');
  const _ = require('lodash');
  const ManagementClient = require('auth0@2.30.0').ManagementClient;
  const namespace = 'https://acme.example.com/';

  user.app_metadata = user.app_metadata || {};

  request.get({
    url: configuration.PARTNER_API + '/people',
    qs: { email: user.email },
    headers: { Authorization: 'Bearer ' + configuration.PARTNER_KEY },
    json: true,
    timeout: 5000
  }, function (err, response, body) {
    if (err) return callback(err);
    if (response.statusCode !== 200) return callback(new UnauthorizedError('Partner says ' + response.statusCode));

    const management = new ManagementClient({
      token: auth0.accessToken,
      domain: auth0.domain
    });
    const metadata = { company: _.get(body, 'person.employment.name', 'unknown') };

    management.updateAppMetadata({ id: user.user_id }, metadata)
      .then(function () {
        return management.getUser({ id: user.user_id });
      })
      .then(function (stored) {
        user.app_metadata = _.merge(user.app_metadata, metadata);
        context.idToken[namespace + 'company'] = stored.app_metadata.company;
        context.accessToken[namespace + 'company'] = stored.app_metadata.company;
        context.idToken[namespace + 'providers'] = _.map(user.identities, 'provider');
        callback(null, user, context);
      })
      .catch(function (err) {
        callback(err);
      });
  });
}
