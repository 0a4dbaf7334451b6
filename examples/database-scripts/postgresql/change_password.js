async function changePassword(email, newPassword, callback) {
  const { Client } = require('pg');
  const bcrypt = require('bcrypt');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    const hash = await bcrypt.hash(newPassword, 10);
    await client.connect();
    const { rowCount } = await client.query('update users set password_hash = $2 where lower(email) = $1', [
      email,
      hash,
    ]);
    return callback(null, rowCount > 0);
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
