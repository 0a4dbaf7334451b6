function (user, context, callback) {
  const moment = require('moment-timezone');
  user.seen = [
    moment.tz('2024-07-01T12:00:00Z', 'Europe/Vienna').format('YYYY-MM-DD HH:mm z'),
    require('moment@2.11.2')('2024-07-01T12:00:00Z').utc().format('dddd'),
    require('moment').duration(90, 'minutes').humanize()
  ];
  callback(null, user, context);
}
