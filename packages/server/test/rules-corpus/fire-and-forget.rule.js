function (user, context, callback) {
  const slack = require('slack-notify')(configuration.SCORE_URL + '/form');
  slack.success({ text: 'Login of ' + user.email });
  // Nobody waits for the answer.
  callback(null, user, context);
}
