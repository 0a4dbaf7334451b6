async function remove(id, callback) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: configuration.DATABASE_URL });
  try {
    await client.connect();
    // Whoever is gone already is no error: a deletion may be asked for twice.
    await client.query('delete from users where id = $1', [id]);
    return callback(null);
  } catch (error) {
    return callback(error);
  } finally {
    await client.end();
  }
}
