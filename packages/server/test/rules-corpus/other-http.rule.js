async function (user, context, callback) {
  const fetched = await require('node-fetch@2.6.0')(configuration.SCORE_URL + '/score?email=a');
  const agent = await require('superagent').get(configuration.SCORE_URL + '/score').query({ email: 'b' });
  const promised = await require('request-promise')({ uri: configuration.SCORE_URL + '/score', qs: { email: 'c' }, json: true });
  const native = await fetch(configuration.SCORE_URL + '/score?email=d');
  const { body } = await require('got')(configuration.SCORE_URL + '/score?email=e', { responseType: 'json' });
  user.seen = [(await fetched.json()).email, agent.body.email, promised.email, (await native.json()).email, body.email];
  callback(null, user, context);
}
