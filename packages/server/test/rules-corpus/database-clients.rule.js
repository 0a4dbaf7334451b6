function (user, context, callback) {
  var connection = mysql({ host: 'db.example.com', user: 'a', password: 'b', database: 'c' });
  user.seen = {
    mysql: [typeof connection.query, connection.config.host, typeof mysql_pool({ host: 'x' }).getConnection, typeof mysql.createConnection],
    mongo: [typeof mongo, typeof mongo.ObjectID, String(new ObjectID('507f1f77bcf86cd799439011')), typeof mongo.Long.fromNumber],
    postgres: [typeof postgres, typeof pg.connect, typeof pg.Client, typeof require('pg').Pool],
    sqlserver: [typeof sqlserver.connect, typeof sqlserver.Request, sqlserver.Types.VarChar.name]
  };
  connection.destroy();
  callback(null, user, context);
}
