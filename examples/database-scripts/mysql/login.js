// Table: users(id, email, nickname, password_hash, email_verified). Passwords are bcrypt hashes.
// configuration: DB_HOST, DB_USER, DB_PASSWORD, DB_NAME
function login(email, password, callback) {
  const mysql = require('mysql');
  const bcrypt = require('bcrypt');
  const connection = mysql.createConnection({
    host: configuration.DB_HOST,
    user: configuration.DB_USER,
    password: configuration.DB_PASSWORD,
    database: configuration.DB_NAME,
    connectTimeout: 5000,
  });
  const query = 'select id, email, nickname, password_hash, email_verified from users where email = ?';
  connection.query(query, [email], (error, rows) => {
    connection.end();
    if (error) return callback(error);
    const user = rows[0];
    if (!user) return callback(new WrongUsernameOrPasswordError());
    bcrypt.compare(password, user.password_hash, (failure, isRight) => {
      if (failure) return callback(failure);
      if (!isRight) return callback(new WrongUsernameOrPasswordError(user.id));
      return callback(null, {
        user_id: String(user.id),
        email: user.email,
        nickname: user.nickname,
        email_verified: Boolean(user.email_verified),
      });
    });
  });
}
