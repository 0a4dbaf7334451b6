// Table: users(id, email, nickname, password_hash, email_verified). Passwords are bcrypt hashes.
// configuration: DATABASE_URL, for example postgres://reader:secret@db.intranet:5432/people
async function login(email, password, callback) {
  const { Client } = require('pg');
  const bcrypt = require('bcrypt');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    await client.connect();
    const { rows } = await client.query(
      'select id, email, nickname, password_hash, email_verified from users where lower(email) = $1',
      [email],
    );
    const user = rows[0];
    if (!user) return callback(new WrongUsernameOrPasswordError());
    if (!(await bcrypt.compare(password, user.password_hash)))
      return callback(new WrongUsernameOrPasswordError(user.id));
    return callback(null, {
      user_id: String(user.id),
      email: user.email,
      email_verified: user.email_verified,
      nickname: user.nickname,
    });
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
