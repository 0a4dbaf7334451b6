function (user, context, callback) {
  var made = [
    new UnauthorizedError('no'),
    new AuthorizationError('code_a', 'no'),
    new ValidationError('user_exists', 'taken'),
    new WrongUsernameOrPasswordError('ada', 'wrong'),
    new ApplicationError('code_b', 'down', { more: true }),
    UnauthorizedError('without new')
  ];
  user.seen = made.map(function (err) {
    return [err.name, err.code, err.message, err.description, err.statusCode, err instanceof Error, /error-classes|rule/.test(err.stack) || typeof err.stack];
  });
  user.chain = [made[0] instanceof UnauthorizedError, made[0] instanceof AuthorizationError, made[2] instanceof AuthorizationError, made[3].user_id, made[4].additionalInformation.more];
  callback(null, user, context);
}
