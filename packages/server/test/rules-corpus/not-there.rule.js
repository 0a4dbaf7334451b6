function (user, context, callback) {
  user.seen = ['cql', 'couchbase', 'Knex', 'azure_storage', 'Pubnub', 'Auth0'].map(function (name) {
    try {
      var module = eval(name);
      if (typeof module !== 'function') return typeof module;
      return new module({ any: 'thing' });
    } catch (err) {
      return err.message;
    }
  });
  try { couchbase.connect('x'); } catch (err) { user.couchbase = err.message; }
  callback(null, user, context);
}
