// Collection `users`: {_id, email, nickname, passwordHash, emailVerified}. Passwords are bcrypt hashes.
// configuration: MONGO_URL, for example mongodb://reader:secret@mongo.intranet:27017/people
async function login(email, password, callback) {
  const { MongoClient } = require('mongodb@6.20.0');
  const bcrypt = require('bcrypt');
  const client = new MongoClient(configuration.MONGO_URL, { serverSelectionTimeoutMS: 5000 });
  try {
    await client.connect();
    const user = await client
      .db()
      .collection('users')
      .findOne({ email: String(email) });
    if (!user) return callback(new WrongUsernameOrPasswordError());
    if (!(await bcrypt.compare(password, user.passwordHash)))
      return callback(new WrongUsernameOrPasswordError(String(user._id)));
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
