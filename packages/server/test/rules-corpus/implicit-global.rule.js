function (user, context, callback) {
  request = require('request@2.81.0');
  someCounter = 41;
  user.seen = [typeof request.get, someCounter + 1];
  callback(null, user, context);
}
