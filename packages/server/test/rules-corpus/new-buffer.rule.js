function (user, context, callback) {
  user.basic = 'Basic ' + new Buffer(user.email + ':x').toString('base64');
  user.more = [new Buffer('68690a', 'hex').length, new Buffer([1, 2]).length, Buffer(3).length, Buffer.isBuffer(new Buffer(1))];
  callback(null, user, context);
}
