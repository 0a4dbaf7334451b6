function (user, context, callback) {
  var salt = pbkdf2.generateSalt();
  pbkdf2.secureHash('a password', salt, function (err, hash, originalSalt) {
    if (err) return callback(err);
    pbkdf2.verify(originalSalt, hash, 'a password', function (err, isValid) {
      if (err) return callback(err);
      pbkdf2.verify(originalSalt, hash, 'another', function (err, isOther) {
        user.seen = [isValid, isOther, originalSalt === salt, Buffer.from(hash, 'base64').length, salt.split('.')[0]];
        callback(err, user, context);
      });
    });
  });
}
