'use strict';

// What the hook after each prepare replaces by the project's own. These are the
// settings of an app that was built without it: nothing is pinned.
module.exports = { platform: '', debug: false, pins: [], enforced: 'none', explain: false, config: '' };
