"""
Where the examples connect to: REDIS_HOST, REDIS_PORT and REDIS_CA, or a server of TENDON_SERVERS.
"""

import json
import os
import sys
from typing import Optional, Tuple


def endpoint(name: str) -> Tuple[str, int, Optional[str]]:
    """(host, port, CA file or None) of the server the first argument names, else of `name`."""
    if "REDIS_HOST" in os.environ:
        port = int(os.environ.get("REDIS_PORT", "6379"))
        return os.environ["REDIS_HOST"], port, os.environ.get("REDIS_CA")
    path = os.environ.get("TENDON_SERVERS")
    if not path:
        sys.exit('set REDIS_HOST and REDIS_PORT, or TENDON_SERVERS (eval "$(./dev env)")')
    with open(path, encoding="utf-8") as file:
        servers = json.load(file)
    name = sys.argv[1] if len(sys.argv) > 1 else name
    if name not in servers:
        sys.exit(f'{path} describes no server "{name}"')
    server = servers[name].get("nodes", [servers[name]])[0]
    return server["host"], server["port"], servers[name].get("ca_file")
