function (user, context, callback) {
  // Keys as strings: one byte a character.
  var key = '0123456789abcdef0123456789abcdef', iv = '\u00ff\u00fe23456789abcdef';
  var cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
  var sealed = cipher.update(user.email, 'utf8', 'hex') + cipher.final('hex');
  var decipher = crypto.createDecipheriv('aes-256-cbc', key, iv);
  user.opened = decipher.update(sealed, 'hex', 'utf8') + decipher.final('utf8');
  user.sealed = sealed;
  var old = crypto.createCipher('aes-256-cbc', 'a password');
  user.old = old.update('some clear text data', 'utf8', 'hex') + old.final('hex');
  var again = crypto.createDecipher('AES-256-CBC', 'a password');
  user.oldOpened = again.update(user.old, 'hex', 'utf8') + again.final('utf8');
  user.hash = crypto.createHash('md5').update(user.email.trim().toLowerCase()).digest('hex');
  callback(null, user, context);
}
