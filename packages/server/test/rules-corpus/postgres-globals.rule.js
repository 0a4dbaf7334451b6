function login(email, password, callback) {
  postgres(configuration.DATABASE, function (err, client, done) {
    if (err) return callback(err);
    client.query('SELECT $1::text AS email', [email], function (err, result) {
      done(err);
      pg.connect(configuration.DATABASE, function (err, second, release) {
        if (err) return callback(err);
        second.query('SELECT 42 AS answer', function (err, more) {
          release();
          callback(err, { email: result.rows[0].email, answer: more && more.rows[0].answer });
        });
      });
    });
  });
}
