function (user, context, callback) {
  var parsed = require('url').parse('https://example.com/?a=1&b=two', true);
  user.seen = {
    ids: [uuid().length, uuid.v4().length, require('uuid').v4().length, require('uuid@8.3.2').validate(uuid())],
    query: querystring.stringify({ a: 1, b: 'x y' }),
    parsed: querystring.parse(parsed.search.slice(1)).b,
    merged: xtend({ a: 1, b: 1 }, { b: 2 })
  };
  callback(null, user, context);
}
