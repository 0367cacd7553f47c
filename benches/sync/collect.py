"""`collect.py FILE`: everyone on the stand-in platform's list, in its order, below what it tells of the first batch."""

import json
import sys

import platform_api


def main():
    base, app_id, secret, _ = platform_api.from_environment()
    api = platform_api.Api(base, app_id, secret)
    with open(sys.argv[1], "w") as file:
        for at, openids in enumerate(api.pages()):
            if at == 0:
                file.write(json.dumps(api.people(openids[:platform_api.BATCH])) + "\n")
            file.write("\n".join(openids) + "\n")


main()
