'use strict';

module.exports = {
  auth: require('./auth'),
  policy: require('./policy'),
  http: require('./http'),
};
