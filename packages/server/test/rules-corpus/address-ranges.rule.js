function (user, context, callback) {
  var office = ['10.1.0.0/16', '192.168.7.7'];
  user.seen = [context.request.ip, '10.2.0.1', '192.168.7.7', '::ffff:10.1.2.3', '2001:db8::1', 'nonsense'].map(function (address) {
    return ip(address).in_range(office);
  });
  user.kind = require('ipaddr.js').parse(context.request.ip).kind();
  callback(null, user, context);
}
