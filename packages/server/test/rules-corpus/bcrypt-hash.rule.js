function (user, context, callback) {
  bcrypt.hash('a password', 4, function (err, hash) {
    if (err) return callback(err);
    bcrypt.compare('a password', hash, function (err, isValid) {
      user.isValid = isValid;
      user.isOther = bcrypt.compareSync('another', hash);
      callback(err, user, context);
    });
  });
}
