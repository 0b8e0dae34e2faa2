"""Make the first API key of a deployed stack.

`python -m infra.keys --prefix millrace-prod- --name me --role admin`
"""

import argparse
import os

from chalicelib.platform import permissions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", required=True, help="the stack's table prefix, e.g. millrace-prod-")
    parser.add_argument("--name", required=True, help="whose key it is; shows in the audit")
    parser.add_argument("--role", default="admin", choices=sorted(permissions.ROLES))
    arguments = parser.parse_args()
    os.environ["TABLE_PREFIX"] = arguments.prefix
    from chalicelib.platform import auth  # reads the prefix when it is imported

    print(auth.create_key(arguments.name, arguments.role))


if __name__ == "__main__":
    main()
