'use strict';

// The settings that the modules under test read, to be changed by each test.
const settings = require('../www/settings.js');
const usual = JSON.parse(JSON.stringify(settings));

module.exports = {
  use(some) { Object.assign(settings, JSON.parse(JSON.stringify(usual)), some); },
};
