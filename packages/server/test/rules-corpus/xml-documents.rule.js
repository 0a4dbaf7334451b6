function (user, context, callback) {
  var text = '<users><user id="7"><mail>ada@example.com</mail></user></users>';
  var parsed = new xmldom.DOMParser().parseFromString(text, 'text/xml');
  user.mail = xpath.select('//user[@id=7]/mail/text()', parsed)[0].data;
  user.again = require('xpath').select1('string(//mail)', new (require('xmldom').DOMParser)().parseFromString(text));
  xml2js.parseString(text, function (err, result) {
    if (err) return callback(err);
    user.id = result.users.user[0].$.id;
    callback(null, user, context);
  });
}
