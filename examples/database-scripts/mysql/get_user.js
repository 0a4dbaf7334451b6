function getUser(email, callback) {
  const mysql = require('mysql');
  const connection = mysql.createConnection({
    host: configuration.DB_HOST,
    user: configuration.DB_USER,
    password: configuration.DB_PASSWORD,
    database: configuration.DB_NAME,
    connectTimeout: 5000,
  });
  connection.query('select id, email, nickname, email_verified from users where email = ?', [email], (error, rows) => {
    connection.end();
    if (error) return callback(error);
    const user = rows[0];
    if (!user) return callback(null);
    return callback(null, {
      user_id: String(user.id),
      email: user.email,
      nickname: user.nickname,
      email_verified: Boolean(user.email_verified),
    });
  });
}
