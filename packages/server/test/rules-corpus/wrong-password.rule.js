function (user, context, callback) {
  throw new WrongUsernameOrPasswordError('auth0|ada', 'Wrong!');
}
