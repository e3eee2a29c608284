"""libtorrent, the library of qBittorrent and Deluge, behind the protocol of README.md.

  libtorrent.py --bootstrap H:P,H:P --host 127.a.b.c|::1 [--port N] [--node]
"""

import argparse
import collections
import hashlib
import json
import os
import queue
import sys
import threading
import time

# Python looks for modules beside the script first, and this file has the module's name.
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path = [folder for folder in sys.path if os.path.realpath(folder) != HERE]
import libtorrent  # noqa: E402

PATIENCE = 30
MISSED = 10
QUIET = 0.3
# An answer to an announce_peer that has not come by then will not.
ACKS = 1.5

# Off: what looks for peers elsewhere, and what mistrusts nodes that share a subnet or live on loopback.
OFF = (
    "enable_lsd enable_upnp enable_natpmp dht_restrict_routing_ips dht_restrict_search_ips"
    " dht_enforce_node_id dht_prefer_verified_node_ids dht_ignore_dark_internet"
).split()
# Out of the way: they shut out a peer that sends more than five packets a second, or answer 8 kB a second.
LIMITS = ("dht_block_ratelimit", "dht_upload_rate_limit")

MASK = libtorrent.alert_category.dht | libtorrent.alert_category.dht_operation | libtorrent.alert_category.status


class Client:
    def __init__(self, args, port):
        host = f"[{args.host}]" if ":" in args.host else args.host
        self.hears_packets = False
        self.at = None
        self.session = libtorrent.session(
            dict.fromkeys(OFF, False)
            | dict.fromkeys(LIMITS, 100_000_000)
            | {
                "listen_interfaces": f"{host}:{port}",
                "max_retry_port_bind": 0,
                "listen_system_port_fallback": False,
                "dht_bootstrap_nodes": args.bootstrap,
                "dht_read_only": not args.node,
                "alert_mask": MASK,
                # Past its limit the queue drops what matters too.
                "alert_queue_size": 100_000,
            }
        )

    def alerts(self, deadline):
        """Yields what the session tells, and None whenever it is silent, until the deadline."""
        while (left := deadline - time.monotonic()) > 0:
            self.session.wait_for_alert(max(1, int(min(0.02, left) * 1000)))
            for alert in self.session.pop_alerts() or [None]:
                if isinstance(alert, libtorrent.listen_succeeded_alert) and "uTP" in alert.message():
                    self.at = f"[{alert.address}]:{alert.port}" if ":" in alert.address else f"{alert.address}:{alert.port}"
                yield alert

    def forget_alerts(self):
        self.session.pop_alerts()

    def hear_packets(self, on):
        """Costs time, so only while they are counted."""
        mask = MASK | libtorrent.alert_category.dht_log if on else MASK
        self.session.apply_settings({"alert_mask": mask})

    def bootstrapped(self, wanted):
        """Waits for a routing table, and for the address."""
        done, heard = not wanted, not wanted
        for alert in self.alerts(time.monotonic() + PATIENCE):
            if isinstance(alert, libtorrent.listen_failed_alert):
                return False
            if isinstance(alert, libtorrent.dht_bootstrap_alert):
                # It also comes when nobody has answered. The table does not tell: it leaves the bootstrap nodes out.
                self.session.post_session_stats()
            elif isinstance(alert, libtorrent.session_stats_alert):
                done, heard = True, alert.values["dht.dht_messages_in"] > 0
            if done and self.at:
                return heard
        return False

    def lookup(self, hash_, since=None):
        since = since or time.monotonic()
        self.forget_alerts()
        self.session.dht_get_peers(hash_)
        return self.collect(hash_, since, again=False)

    def cold_lookup(self, hash_, since):
        """As soon as the DHT runs, which is when it takes a search; it asks the bootstrap nodes then."""
        while not self.session.is_dht_running():
            time.sleep(0.0005)
        self.session.dht_get_peers(hash_)
        return self.collect(hash_, since, again=True)

    def collect(self, hash_, since, again):
        peers, first, last = {}, None, None
        for alert in self.alerts(since + MISSED):
            if isinstance(alert, libtorrent.dht_get_peers_reply_alert) and alert.info_hash == hash_:
                last = time.monotonic()
                first = first or last
                peers |= dict.fromkeys(spelled(peer) for peer in alert.peers())
            elif again and not peers and isinstance(alert, libtorrent.dht_bootstrap_alert):
                self.session.dht_get_peers(hash_)
            elif last and time.monotonic() - last > QUIET:
                break
        return {"first_us": first and micros(since, first), "done_us": None, "peers": list(peers)}

    def lookups(self, hashes, parallel):
        since = time.monotonic()
        self.forget_alerts()
        todo, running, missed = collections.deque(hashes), {}, 0
        # Without a deadline: each lookup has its own.
        alerts = self.alerts(float("inf"))
        while True:
            while todo and len(running) < parallel and todo[0] not in running:
                hash_ = todo.popleft()
                running[hash_] = time.monotonic() + MISSED
                self.session.dht_get_peers(hash_)
            if not running:
                return {"took_us": micros(since), "missed": missed}
            alert = next(alerts)
            if isinstance(alert, libtorrent.dht_get_peers_reply_alert):
                running.pop(alert.info_hash, None)
            elif alert is None:
                late = [hash_ for hash_, deadline in running.items() if deadline < time.monotonic()]
                missed += len(late)
                for hash_ in late:
                    del running[hash_]

    def announce(self, hash_, port):
        """Reads packets, because no alert tells the end of an announce; the log tells how many will be sent."""
        self.forget_alerts()
        self.hear_packets(True)
        since = last = time.monotonic()
        asked, acks, sent, done, wanted = set(), set(), None, None, None
        self.session.dht_announce(hash_, port)
        for alert in self.alerts(since + PATIENCE):
            if isinstance(alert, libtorrent.dht_log_alert) and f"sending announce_peer [ ih: {hash_}" in alert.log_message():
                wanted = int(alert.log_message().split("nodes:")[1].split()[0])
            elif isinstance(alert, libtorrent.dht_pkt_alert):
                now = time.monotonic()
                packet = libtorrent.bdecode(alert.pkt_buf) or {}
                key, kind = packet.get(b"t"), packet.get(b"y")
                if packet.get(b"q") == b"announce_peer" and alert.message().startswith("==>"):
                    if packet[b"a"][b"info_hash"] == hash_.to_bytes():
                        asked.add(key)
                        sent = last = now
                elif kind in (b"r", b"e") and key in asked and alert.message().startswith("<=="):
                    done = last = now
                    if kind == b"r":
                        acks.add(key)
                    asked.discard(key)
                    wanted = wanted and wanted - 1
            if wanted == 0 or (sent and time.monotonic() - last > ACKS):
                break
        self.hear_packets(False)
        if not acks:
            raise ValueError("no node kept the announcement")
        return {"sent_us": micros(since, sent), "done_us": micros(since, done), "acks": len(acks)}

    def put(self, seed, value):
        public, since = public_key(seed), time.monotonic()
        self.forget_alerts()
        self.session.dht_put_mutable_item(private_key(seed), public, value, b"")
        for alert in self.alerts(since + PATIENCE):
            if isinstance(alert, libtorrent.dht_put_alert) and bytes(alert.public_key) == public:
                return {"done_us": micros(since), "acks": alert.num_success, "seq": alert.seq}
        raise ValueError(f"no end within {PATIENCE} s")

    def get(self, seed):
        public, since = public_key(seed), time.monotonic()
        self.forget_alerts()
        self.session.dht_get_mutable_item(public, b"")
        values = {}
        for alert in self.alerts(since + PATIENCE):
            if not isinstance(alert, libtorrent.dht_mutable_item_alert) or bytes(alert.key) != public:
                continue
            item = alert.item
            if item:
                value = item.get("value") if isinstance(item, dict) else item
                values[(alert.seq, bytes(value).hex())] = None
            if alert.authoritative:
                found = [{"seq": seq, "value": value} for seq, value in values]
                return {"done_us": micros(since), "values": found}
        raise ValueError(f"no end within {PATIENCE} s")


def private_key(seed):
    """As libtorrent keeps it: the hash of the seed that RFC 8032 makes of it, not the seed."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] = key[31] & 63 | 64
    return bytes(key)


def public_key(seed):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def spelled(peer):
    ip, port = peer
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def micros(since, until=None):
    return round(((until or time.monotonic()) - since) * 1_000_000)


def hash_of(text):
    if len(text) != 40:
        raise ValueError("hash: 40 hex digits")
    return libtorrent.sha1_hash(bytes.fromhex(text))


def cold(args, hash_):
    since = time.monotonic()
    return Client(args, 0).cold_lookup(hash_, since)


def rss():
    with open("/proc/self/status") as status:
        return {"rss_kib": next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))}


def obey(args, client, request):
    match request:
        case {"op": "lookup", "hash": hash_}:
            return client.lookup(hash_of(hash_))
        case {"op": "cold", "hash": hash_}:
            return cold(args, hash_of(hash_))
        case {"op": "lookups", "hashes": hashes, "parallel": parallel}:
            return client.lookups([hash_of(hash_) for hash_ in hashes], max(1, parallel))
        case {"op": "announce", "hash": hash_, "port": port}:
            return client.announce(hash_of(hash_), port)
        case {"op": "put", "seed": seed, "value": value}:
            return client.put(bytes.fromhex(seed), bytes.fromhex(value))
        case {"op": "get", "seed": seed}:
            return client.get(bytes.fromhex(seed))
        case {"op": "rss"}:
            return rss()
    raise ValueError("no such op, or not all of its arguments")


def answer(args, client, line):
    request = {}
    try:
        request = json.loads(line)
        return {"id": request.get("id")} | obey(args, client, request)
    except Exception as error:  # Whatever it is, the asker waits for a line.
        id_ = request.get("id") if isinstance(request, dict) else None
        return {"id": id_, "error": str(error) or repr(error)}


def read_stdin(lines):
    """Its end ends the process at once, whatever it is busy with: nobody is left to hear an answer."""
    for line in sys.stdin:
        if line.strip():
            lines.put(line)
    os._exit(0)


def say(value):
    try:
        print(json.dumps(value), flush=True)
    except BrokenPipeError:
        os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", default="")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--node", action="store_true")
    args = parser.parse_args()
    lines = queue.Queue()
    threading.Thread(target=read_stdin, args=(lines,), daemon=True).start()
    client = Client(args, args.port)
    bootstrapped = client.bootstrapped(bool(args.bootstrap))
    if not client.at:
        sys.exit(f"cannot listen on {args.host}:{args.port}")
    say({"ready": True, "at": client.at, "bootstrapped": bootstrapped})
    while True:
        say(answer(args, client, lines.get()))


if __name__ == "__main__":
    main()
