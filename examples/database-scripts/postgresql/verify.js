async function verify(email, callback) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    await client.connect();
    const { rowCount } = await client.query('update users set email_verified = true where lower(email) = $1', [email]);
    return callback(null, rowCount > 0);
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
