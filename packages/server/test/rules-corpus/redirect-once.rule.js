async function redirectOnce(user, context, callback) {
  const { Auth0RedirectRuleUtilities } = require('@auth0/rule-utilities@0.1.0');
  const utilities = new Auth0RedirectRuleUtilities(user, context, configuration);
  if (utilities.isRedirectCallback) {
    try {
      utilities.validateSessionToken();
      return callback(null, user, context);
    } catch (err) {
      return callback(new UnauthorizedError(err.message));
    }
  }
  if (utilities.canRedirect) utilities.doRedirect(configuration.TERMS_URL);
  return callback(null, user, context);
}
