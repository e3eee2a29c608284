"""Starts each peer against 50 npm nodes, asks it everything, and prints what it answers.

  target/rig/venv/bin/python plugins/mainline/peers/check.py [NAME…]

after `cargo xtask setup`. Ends with 1 when a peer did not do what README.md says of it.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RIG = ROOT / "target/rig"
HERE = ROOT / "plugins/mainline/peers"
CRATES = [RIG / "peers/release/bitboot-dht-peers", "--engine"]
PEERS = {
    "mainline": [*CRATES, "mainline"],
    "dht": [*CRATES, "dht"],
    "n0": [*CRATES, "n0"],
    "libtorrent": [RIG / "venv/bin/python", HERE / "libtorrent.py"],
    "npm": ["node", HERE / "npm.js"],
}
ENVIRONMENT = os.environ | {"NODE_PATH": str(RIG / "node/node_modules")}

# A node of these drops every query whose transaction id is not of four bytes, and all others send two.
FOUR_BYTES = {"mainline", "dht", "n0"}

wrong = []


class Process:
    """A child that speaks lines of JSON. It ends when its stdin closes."""

    def __init__(self, command):
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(list(map(str, command)), stdin=pipe, stdout=pipe, env=ENVIRONMENT, text=True)
        self.greeting = self.read()

    def read(self):
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.child.args} said nothing")
        return json.loads(line)

    def tell(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()
        self.child.wait(10)


class Peer(Process):
    count = 0

    def __init__(self, name, bootstrap, host=None, node=False):
        Peer.count += 1
        self.name, self.asked = name, 0
        self.host = host or f"127.0.{200 + os.getpid() % 50}.{Peer.count}"
        words = ["--bootstrap", ",".join(bootstrap), "--host", self.host, *(["--node"] if node else [])]
        super().__init__([*PEERS[name], *words])

    def ask(self, op, **arguments):
        self.asked += 1
        self.tell(json.dumps({"id": self.asked, "op": op} | arguments))
        answer = self.read()
        if answer.pop("id") != self.asked:
            wrong.append(f"{self.name}: answers with another id")
        return answer


def hashed(text):
    return hashlib.sha1(f"{os.getpid()} {text}".encode()).hexdigest()


def check(holds, what):
    if not holds:
        wrong.append(what)


def as_client(name, bootstrap, hashes):
    with Peer(name, bootstrap) as peer:
        show(name, "ready", peer.greeting)
        check(peer.greeting["bootstrapped"], f"{name} is not bootstrapped")
        show(name, "rss", peer.ask("rss"))
        own, fresh = hashed(name), hashed(name + " again")
        announced = peer.ask("announce", hash=own, port=4321)
        show(name, "announce", announced)
        check(announced.get("acks"), f"{name} announces to nobody")
        with Peer("npm", bootstrap) as other:
            peers = other.ask("lookup", hash=own)["peers"]
            show(name, "  seen by npm", peers)
            check(peers == [f"{peer.host}:4321"], f"{name} is not found at its own address")
        for op, hash_ in [("lookup", hashes[0]), ("cold", hashes[1]), ("lookup", fresh)]:
            found = peer.ask(op, hash=hash_)
            show(name, op if hash_ != fresh else "lookup of nothing", found)
            check(len(found["peers"]) == (hash_ != fresh), f"{name}: {op} found {found['peers']}")
        # Of other hashes: what was looked up until its first peer may still be running.
        for until, some in [("first", hashes[::2]), ("done", hashes[1::2])]:
            many = peer.ask("lookups", hashes=some, parallel=8, until=until)
            show(name, f"{len(some)} lookups, 8 at a time, until {until}", many)
            check(many.get("missed", len(some)) <= len(some) // 2, f"{name} misses more than half: {many}")
        seed = hashlib.sha256(own.encode()).hexdigest()
        show(name, "put", peer.ask("put", seed=seed, value=b"hello".hex(), seq=1))
        show(name, "get", peer.ask("get", seed=seed))
        with Peer("npm", bootstrap) as other:
            values = other.ask("get", seed=seed)["values"]
            show(name, "  got by npm", values)
            check(values == [{"seq": 1, "value": b"hello".hex()}], f"{name}: npm gets {values}")
        strange = peer.ask("juggle")
        show(name, "no such op", strange)
        check("error" in strange, f"{name} juggles")
        show(name, "rss", peer.ask("rss"))


def as_node(name, network, hash_, clients):
    """Clients that know nobody else get in through it."""
    with Peer(name, network.greeting["bootstrap"], node=True) as node:
        network.tell(node.greeting["at"])
        for client in clients:
            serves = name not in FOUR_BYTES or client in FOUR_BYTES
            if not serves and client == "libtorrent":
                print(f"{name:>10} as node: {client:<10} not tried: it waits 30 s for an answer that does not come")
                continue
            with Peer(client, [node.greeting["at"]]) as peer:
                found = peer.ask("lookup", hash=hash_)
                print(f"{name:>10} as node: {client:<10} finds {found['peers']} in {found['first_us']} us")
                check(bool(found["peers"]) == serves, f"{client} through {name}: {found}")


def ipv6():
    with Peer("libtorrent", [], "::1", node=True) as first:
        at = [first.greeting["at"]]
        with Peer("libtorrent", at, "::1", node=True) as second, Peer("libtorrent", at, "::1") as third:
            show("libtorrent", "IPv6", [first.greeting, second.greeting, third.greeting])
            show("libtorrent", "announce", second.ask("announce", hash=hashed("six"), port=4321))
            found = third.ask("lookup", hash=hashed("six"))
            show("libtorrent", "lookup", found)
            check(found["peers"] == ["[::1]:4321"], f"libtorrent over IPv6: {found}")


def show(name, what, answer):
    print(f"{name:>10} {what}: {json.dumps(answer)}", flush=True)


def main(names):
    nodes = ["node", ROOT / "host/tests/interop/nodes.js", "--nodes", "50"]
    with Process(nodes) as network:
        bootstrap = network.greeting["bootstrap"]
        hashes = [hashed(number) for number in range(40)]
        with Peer("npm", bootstrap) as announcer:
            for hash_ in hashes:
                announcer.ask("announce", hash=hash_, port=1234)
            for name in names:
                as_client(name, bootstrap, hashes)
            for name in names:
                as_node(name, network, hashes[0], names)
    if "libtorrent" in names:
        ipv6()
    for what in wrong:
        print(f"wrong: {what}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(sys.argv[1:] or list(PEERS))
