"""A peer that is not ours: libtorrent. The same two modes and flags as peer.js.

  peer.py announce --bootstrap H:P[,H:P] --host 127.a.b.c --info-hash HEX --port N
    prints {"announced": NODES} and stays until its stdin closes
  peer.py lookup   --bootstrap H:P[,H:P] --host 127.a.b.c --info-hash HEX --timeout SECONDS
    prints {"peer": "ip:port"} for each distinct peer; ends with the search or the time-out
"""

import argparse
import json
import sys
import time

import libtorrent

ANNOUNCE_SECONDS = 15

# Off: what looks for peers elsewhere, and what mistrusts nodes that share a subnet or live on loopback.
OFF = (
    "enable_lsd enable_upnp enable_natpmp dht_restrict_routing_ips dht_restrict_search_ips"
    " dht_enforce_node_id dht_prefer_verified_node_ids dht_ignore_dark_internet"
).split()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["announce", "lookup"])
    for flag in ("--bootstrap", "--host", "--info-hash"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--timeout", type=float)
    args = parser.parse_args()
    if (args.port if args.mode == "announce" else args.timeout) is None:
        parser.error("announce needs --port, lookup needs --timeout")
    return args


def start(args):
    category = libtorrent.alert_category
    return libtorrent.session(
        dict.fromkeys(OFF, False)
        | {
            "listen_interfaces": f"{args.host}:0",
            "dht_bootstrap_nodes": args.bootstrap,
            "alert_mask": category.dht | category.dht_operation | category.dht_log,
            # The log says every step; past its limit the queue drops what matters too.
            "alert_queue_size": 100_000,
        }
    )


def alerts(session, deadline):
    """Yields what the session tells, and None whenever it is silent, until the deadline."""
    while time.monotonic() < deadline:
        session.wait_for_alert(50)
        yield from session.pop_alerts() or [None]


def bootstrap(session, deadline):
    """Waits for a routing table: a search that starts without one finds nobody."""
    any(isinstance(alert, libtorrent.dht_bootstrap_alert) for alert in alerts(session, deadline))


def announce(session, info_hash, args):
    """Counts the nodes that acknowledged, by reading packets: no alert tells the end of an announce."""
    deadline = time.monotonic() + ANNOUNCE_SECONDS
    bootstrap(session, deadline)
    session.dht_announce(info_hash, args.port)
    asked, kept = set(), set()
    for alert in alerts(session, deadline):
        if not isinstance(alert, libtorrent.dht_pkt_alert):
            continue
        packet, sent = libtorrent.bdecode(alert.pkt_buf), alert.message().startswith("==>")
        if sent and packet.get(b"q") == b"announce_peer":
            asked.add(packet[b"t"])
        elif not sent and packet.get(b"y") == b"r" and packet[b"t"] in asked:
            kept.add(packet[b"t"])
        if asked and asked == kept:
            break
    if not kept:
        sys.exit("no node kept the announce")
    say({"announced": len(kept)})
    sys.stdin.read()  # A test killed with -9 stops nobody, but the pipe it held closes all the same.


def lookup(session, info_hash, args):
    deadline = time.monotonic() + args.timeout
    bootstrap(session, deadline)
    session.dht_get_peers(info_hash)
    session.post_dht_stats()
    seen = set()
    for alert in alerts(session, deadline):
        if isinstance(alert, libtorrent.dht_get_peers_reply_alert):
            peers = {f"{ip}:{port}" for ip, port in alert.peers()}
            for peer in peers - seen:
                say({"peer": peer})
            seen |= peers
        elif isinstance(alert, libtorrent.dht_stats_alert):
            # No alert tells the end of a search either, but a search that ended is no longer listed.
            if not any(request["type"] == "get_peers" for request in alert.active_requests):
                return
        elif alert is None:
            session.post_dht_stats()


def say(value):
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    args = arguments()
    info_hash = libtorrent.sha1_hash(bytes.fromhex(args.info_hash))
    {"announce": announce, "lookup": lookup}[args.mode](start(args), info_hash, args)
