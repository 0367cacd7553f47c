'use strict';

const Database = require('better-sqlite3');

module.exports = (path) => {
  const db = new Database(path, { timeout: 5000 });
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  const insert = db.prepare(
    'INSERT OR IGNORE INTO inbox_event (dedupe_key, openid, kind, raw, event_time) VALUES (@key, @openid, @kind, @raw, @time)',
  );
  const follow = db.prepare(
    `INSERT INTO user_mapping (openid, is_followed, qr_scene, changed_at) VALUES (@openid, 1, @scene, @time)
     ON CONFLICT (openid) DO UPDATE SET is_followed = 1, qr_scene = excluded.qr_scene, changed_at = excluded.changed_at
     WHERE excluded.changed_at >= user_mapping.changed_at`,
  );
  const leave = db.prepare(
    `INSERT INTO user_mapping (openid, is_followed, changed_at) VALUES (@openid, 0, @time)
     ON CONFLICT (openid) DO UPDATE SET is_followed = 0, changed_at = excluded.changed_at
     WHERE excluded.changed_at >= user_mapping.changed_at`,
  );
  const store = db.transaction((event) => {
    if (insert.run(event).changes === 0) return;
    if (event.kind === 'event.subscribe') follow.run(event);
    if (event.kind === 'event.unsubscribe') leave.run(event);
  });
  return store.immediate;
};
