package main

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"strconv"

	"github.com/go-sql-driver/mysql"
	_ "github.com/mattn/go-sqlite3"
)

const (
	values       = "INTO inbox_event (dedupe_key, openid, kind, raw, event_time) VALUES (?, ?, ?, ?, ?)"
	change       = "INSERT INTO user_mapping (openid, is_followed, qr_scene, changed_at) VALUES (?, ?, ?, ?) "
	sqliteInsert = "INSERT OR IGNORE " + values
	sqliteChange = change + `ON CONFLICT (openid) DO UPDATE SET is_followed = excluded.is_followed,
		qr_scene = COALESCE(excluded.qr_scene, qr_scene), changed_at = excluded.changed_at
		WHERE excluded.changed_at >= user_mapping.changed_at`
	mariadbInsert = "INSERT IGNORE " + values
	mariadbChange = change + `ON DUPLICATE KEY UPDATE
		is_followed = IF(VALUES(changed_at) >= changed_at, VALUES(is_followed), is_followed),
		qr_scene = IF(VALUES(changed_at) >= changed_at, COALESCE(VALUES(qr_scene), qr_scene), qr_scene),
		changed_at = GREATEST(VALUES(changed_at), changed_at)`
)

type store struct {
	db             *sql.DB
	insert, change *sql.Stmt
}

func openStore() (*store, error) {
	if path := os.Getenv("RACE_SQLITE"); path != "" {
		// One connection: SQLite has one writer at a time, and a queue in Go is better than SQLite's sleeping.
		return prepared("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate",
			1, sqliteInsert, sqliteChange)
	}
	address, err := url.Parse(os.Getenv("RACE_MARIADB"))
	if err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.Net, config.Addr, config.User, config.DBName = "tcp", address.Host, address.User.Username(), address.Path[1:]
	connections, err := strconv.Atoi(os.Getenv("RACE_CONNECTIONS"))
	if err != nil {
		connections = 32
	}
	return prepared("mysql", config.FormatDSN(), connections, mariadbInsert, mariadbChange)
}

func prepared(driver, dsn string, connections int, insert, change string) (*store, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	s := &store{db: db}
	if s.insert, err = db.Prepare(insert); err != nil {
		return nil, err
	}
	s.change, err = db.Prepare(change)
	return s, err
}

func (s *store) store(ctx context.Context, e event) error {
	row := []any{e.key, e.openid, e.kind, e.raw, e.time}
	follows := e.kind == "event.subscribe"
	if !follows && e.kind != "event.unsubscribe" {
		// One statement is a transaction of its own.
		_, err := s.insert.ExecContext(ctx, row...)
		return err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stored, err := tx.StmtContext(ctx, s.insert).ExecContext(ctx, row...)
	if err != nil {
		return err
	}
	if rows, err := stored.RowsAffected(); err != nil || rows == 0 {
		return err
	}
	if _, err := tx.StmtContext(ctx, s.change).ExecContext(ctx, e.openid, follows, e.scene, e.time); err != nil {
		return err
	}
	return tx.Commit()
}
