function (user, context, callback) {
  const jwt = require('jsonwebtoken');
  const { generateKeyPairSync } = require('crypto');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  });
  const seen = ['jsonwebtoken', 'jsonwebtoken@7.4.1', 'jsonwebtoken@9.0.3'].map(function (name) {
    const module = require(name);
    const token = module.sign({ role: 'admin' }, privateKey, { algorithm: 'RS256', expiresIn: '1h', issuer: 'urn:rule' });
    return jwt.verify(token, publicKey, { algorithms: ['RS256'], issuer: 'urn:rule' }).role;
  });
  try {
    jwt.verify(jwt.sign({}, 'secret'), publicKey, { algorithms: ['RS256'] });
  } catch (err) {
    seen.push(err.name, err instanceof Error);
  }
  user.seen = seen;
  callback(null, user, context);
}
