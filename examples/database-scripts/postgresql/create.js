async function create(user, callback) {
  const { Client } = require('pg');
  const bcrypt = require('bcrypt');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    const hash = await bcrypt.hash(user.password, 10);
    await client.connect();
    // The table's unique constraint decides between two who take the same address at once.
    const { rowCount } = await client.query(
      'insert into users (email, password_hash, email_verified) values ($1, $2, false) on conflict (email) do nothing',
      [user.email, hash],
    );
    if (rowCount === 0) return callback(new ValidationError('user_exists', 'This address has an account.'));
    return callback(null);
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
