async function changeEmail(email, newEmail, verified, callback) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    await client.connect();
    const { rowCount } = await client.query(
      'update users set email = $2, email_verified = $3 where lower(email) = $1',
      [email, newEmail, verified],
    );
    return callback(null, rowCount > 0);
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
