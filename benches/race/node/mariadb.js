'use strict';

const mysql = require('mysql2/promise');

const INSERT = 'INSERT IGNORE INTO inbox_event (dedupe_key, openid, kind, raw, event_time) VALUES (?, ?, ?, ?, ?)';
const CHANGE = `INSERT INTO user_mapping (openid, is_followed, qr_scene, changed_at) VALUES (?, ?, ?, ?)
  ON DUPLICATE KEY UPDATE
    is_followed = IF(VALUES(changed_at) >= changed_at, VALUES(is_followed), is_followed),
    qr_scene = IF(VALUES(changed_at) >= changed_at, COALESCE(VALUES(qr_scene), qr_scene), qr_scene),
    changed_at = GREATEST(VALUES(changed_at), changed_at)`;

module.exports = (url) => {
  const pool = mysql.createPool({ uri: url, connectionLimit: Number(process.env.RACE_CONNECTIONS || 32) });
  return async (event) => {
    const row = [event.key, event.openid, event.kind, event.raw, event.time];
    const follows = event.kind === 'event.subscribe';
    // One statement is a transaction of its own.
    if (!follows && event.kind !== 'event.unsubscribe') return pool.execute(INSERT, row);
    const connection = await pool.getConnection();
    try {
      await connection.beginTransaction();
      const [stored] = await connection.execute(INSERT, row);
      if (stored.affectedRows > 0) await connection.execute(CHANGE, [event.openid, follows, event.scene, event.time]);
      return await connection.commit();
    } catch (error) {
      await connection.rollback();
      throw error;
    } finally {
      connection.release();
    }
  };
};
