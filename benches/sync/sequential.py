"""A plain client: one call after the other, each batch of 100 written row by row in a transaction."""

import time

import people
import platform_api


def main():
    base, app_id, secret, database = platform_api.from_environment()
    api, db, sql = platform_api.Api(base, app_id, secret), people.connect(database), people.upsert(database)
    cursor = db.cursor()
    for page in api.pages():
        for openids in platform_api.batches(page):
            told = api.people(openids)
            now = people.stamp(database, time.time())
            people.begin(db)
            for person in told:
                cursor.execute(sql, people.row(database, person["openid"], person, now))
            db.commit()
    db.close()


main()
