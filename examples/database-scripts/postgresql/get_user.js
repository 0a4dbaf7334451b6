async function getUser(email, callback) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    await client.connect();
    const { rows } = await client.query(
      'select id, email, nickname, email_verified from users where lower(email) = $1',
      [email],
    );
    const user = rows[0];
    if (!user) return callback(null);
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
