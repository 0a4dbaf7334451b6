async function getUser(email, callback) {
  const { MongoClient } = require('mongodb@6.20.0');
  const client = new MongoClient(configuration.MONGO_URL, { serverSelectionTimeoutMS: 5000 });
  try {
    await client.connect();
    const user = await client
      .db()
      .collection('users')
      .findOne({ email: String(email) });
    if (!user) return callback(null);
    return callback(null, {
      user_id: String(user._id),
      email: user.email,
      nickname: user.nickname,
      email_verified: user.emailVerified === true,
    });
  } catch (error) {
    return callback(error);
  } finally {
    await client.close();
  }
}
