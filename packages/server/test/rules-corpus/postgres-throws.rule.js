function get_user(name, callback) {
  require('pg').connect(configuration.DATABASE, function (err, client, done) {
    if (err) return callback(err);
    client.query('SELECT 1', function () {
      done();
      throw new Error('thrown for ' + name);
    });
  });
}
