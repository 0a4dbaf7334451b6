function (user, context, callback) {
  global.seen = global.seen || 0;
  global.seen++;
  GLOBAL.also = global.seen;
  root.too = GLOBAL.also;
  user.count = too;
  user.same = global === GLOBAL && root === global;
  callback(null, user, context);
}
