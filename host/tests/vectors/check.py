"""Computes every example in network.json anew, from host/src/network/README.md and not from bitboot's code."""

import base64
import hashlib
import hmac
import ipaddress
import json
import pathlib
import struct
import urllib.parse

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
# The y of all points whose order divides 8, in each form that 255 bits have for them.
EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303021
SMALL = {0, 1, EIGHTH, PRIME - EIGHTH, PRIME - 1, PRIME, PRIME + 1}


# RFC 5869


def extract(salt, material):
    return hmac.digest(salt, material, "sha256")


def expand(key, info, length):
    done = block = b""
    while len(done) < length:
        block = hmac.digest(key, block + info + bytes([len(done) // 32 + 1]), "sha256")
        done += block
    return done[:length]


# draft-irtf-cfrg-xchacha-03


def hchacha20(key, nonce):
    state = list(struct.unpack("<16L", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            state[z] ^= state[x]
            state[z] = (state[z] << bits | state[z] >> 32 - bits) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8L", *state[:4], *state[12:])


def xchacha(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


# Networks


def name_and_hash(name):
    if len(name) == 40 and set(name) <= set("0123456789abcdefABCDEF"):
        return name.lower(), bytes.fromhex(name)
    return name, hashlib.sha1(name.encode()).digest()


def of_passphrase(name, passphrase):
    salt = hashlib.sha256(b"bitboot/1 passphrase" + name_and_hash(name)[0].encode()).digest()[:16]
    return hash_secret_raw(passphrase.encode(), salt, 3, 65536, 4, 32, Type.ID, 0x13)


def invite(name, secret):
    key = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return "bitboot://" + urllib.parse.quote(name, safe="-._~") + "?k=" + key


class Place:
    def __init__(self, name, secret, medium="", hour=0):
        name, info_hash = name_and_hash(name)
        if secret is None:
            root, medium, hour = extract(b"bitboot/1 open", name.encode()), "", 0
        else:
            root = extract(b"bitboot/1 secret", secret + name.encode())
        medium = medium.encode()[:255]
        where = struct.pack(">QB", hour, len(medium)) + medium
        self.binding = expand(root, b"bitboot/1 binding", 32)
        self.locator = info_hash if secret is None else expand(root, b"bitboot/1 locator" + where, 32)[:20]
        self.slots = expand(root, b"bitboot/1 slots" + where, 32)
        self.seal = expand(root, b"bitboot/1 seal" + where, 32)
        self.note = expand(root, b"bitboot/1 note" + where, 64)

    def slot(self, level, index):
        return expand(self.slots, struct.pack(">BH", level, index), 32)

    def pseudonym(self, key):
        return expand(self.slots, b"writer" + key, 16)


# Records


def verifies(key, message, signature):
    points = [int.from_bytes(point, "little") & 2**255 - 1 for point in (key, signature[:32])]
    if SMALL & set(points) or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def address(text):
    host, port = text.rsplit(":", 1)
    try:
        packed = ipaddress.ip_address(host.strip("[]")).packed
        kind = 1 if len(packed) == 4 else 2
    except ValueError:
        kind, packed = 3, host.encode()
    return bytes([kind, len(packed) + 2]) + packed + struct.pack(">H", int(port))


def short(text):
    return bytes([len(text.encode())]) + text.encode()


def record(said, binding):
    """The bytes that are signed, and the record."""
    seed = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(said["seed"]))
    key = seed.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert key.hex() == said["key"]
    head = bytes([1 << 4 | said["withdrawn"]]) + key
    head += struct.pack(">LHB", said["time"], said["lifetime_s"] // 30, len(said["endpoints"]))
    pairs = sorted((name.encode(), short(name) + short(value)) for name, value in said["metadata"].items())
    body = head + b"".join(map(address, said["endpoints"])) + bytes([len(pairs)]) + b"".join(p for _, p in pairs)
    signed = b"bitboot/1 record" + binding + body
    return signed, body + seed.sign(signed)


def is_whole(fields):
    """Addresses and pairs, and nothing behind them."""
    at = 0
    try:
        for what in ("addresses", "pairs"):
            count, at = fields[at], at + 1
            for _ in range(count):
                at += 1 if what == "addresses" else 1 + fields[at]
                at += 1 + fields[at]
    except IndexError:
        return False
    return at == len(fields)


def read(bytes_, binding):
    """Key, and what decides which record holds; None for what does not verify."""
    body, signature = bytes_[:-64], bytes_[-64:]
    if len(bytes_) > 480 or len(body) < 41 or body[0] >> 4 != 1:
        return None
    if not is_whole(body[39:]):
        return None
    if not verifies(body[1:33], b"bitboot/1 record" + binding + body, signature):
        return None
    return body[1:33], (struct.unpack(">L", body[33:37])[0], body[0] & 1, bytes_)


# Notes


def note(place, said):
    """The lifetime, and the note."""
    power = next(p for p in range(32) if 30 * (2 + p % 2) * 2 ** (p // 2) >= said["wanted_s"])
    lifetime = 30 * (2 + power % 2) * 2 ** (power // 2)
    kind, where = (0, bytes(6)) if not said["endpoint"] else (address(said["endpoint"])[0], address(said["endpoint"])[2:])
    inside = bytes([kind << 6 | power]) + struct.pack(">L", said["time"]) + where
    names = [b"bitboot/1 note", place.locator, bytes.fromhex(said["author"])]
    return lifetime, AESSIV(place.note).encrypt(inside, names)


# Bundles


def sealed(place, at, nonce, records, room):
    room, inside = min(room, 16384) - 40, b""
    for one in records:
        if len(inside) + 2 + len(one) > room:
            break
        inside += struct.pack(">H", len(one)) + one
    inside = inside.ljust(min(max(64, -(-len(inside) // 64) * 64), room), b"\0")
    cipher, short_nonce = xchacha(place.seal, nonce)
    return nonce + cipher.encrypt(short_nonce, inside, b"bitboot/1 bundle" + at)


def opened(place, at, bundle):
    """The newest record of each key, and how many do not verify."""
    cipher, short_nonce = xchacha(place.seal, bundle[:24])
    inside = cipher.decrypt(short_nonce, bundle[24:], b"bitboot/1 bundle" + at)
    newest, bad = {}, 0
    while len(inside) >= 2 and (length := struct.unpack(">H", inside[:2])[0]):
        one, inside = inside[2 : 2 + length], inside[2 + length :]
        assert len(one) == length
        if (known := read(one, place.binding)) is None:
            bad += 1
        else:
            newest[known[0]] = max(newest.get(known[0], known[1]), known[1])
    return [newest[key][2] for key in sorted(newest)], bad


def secret_of(example):
    return example["secret"] and bytes.fromhex(example["secret"])


def same(what, made, wanted):
    assert made == wanted, f"{what}: {made} is not {wanted}"
    same.count += 1


same.count = 0


def main():
    examples = json.loads(pathlib.Path(__file__).with_name("network.json").read_text())
    # The draft's own example of HChaCha20, section 2.2.1.
    subkey = hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    same("HChaCha20", subkey.hex(), "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")
    for one in examples["passphrases"]:
        same("passphrase", of_passphrase(one["network"], one["passphrase"]).hex(), one["secret"])
    for one in examples["invites"]:
        same("invite", invite(one["name"], secret_of(one)), one["invite"])
    for network in examples["networks"]:
        same("binding", Place(network["name"], secret_of(network)).binding.hex(), network["binding"])
        for one in network["places"]:
            place = Place(network["name"], secret_of(network), one["medium"], one["hour"])
            same("locator", place.locator.hex(), one["locator"])
            same("slots key", place.slots.hex(), one["slots_key"])
            same("seal key", place.seal.hex(), one["seal_key"])
            for slot in one["slots"]:
                same("slot", place.slot(slot["level"], slot["index"]).hex(), slot["locator"])
            for signer in one["signers"]:
                key = bytes.fromhex(signer["key"])
                bits = int.from_bytes(key, "big")
                same("slots of a signer", [bits >> 256 - level for level in (0, 1, 6)], signer["slots_on_0_1_6"])
                same("pseudonym", place.pseudonym(key).hex(), signer["pseudonym"])
    for one in examples["epochs"]:
        second = one["second"]
        same("hour", second // 3600, one["written"])
        hours = set(range((second - 4200) // 3600, (second + 3300) // 3600 + 1))
        same("hours to read", sorted(hours), sorted(one["read"]))
        same("the present hour first", second // 3600, one["read"][0])
    binding = bytes.fromhex(examples["networks"][0]["binding"])
    for one in examples["records"]:
        signed, made = record(one, binding)
        same("signed bytes", signed.hex(), one["signed"])
        same("record", made.hex(), one["record"])
        assert read(made, binding) and not read(made, bytes(32))
    for one in examples["refused"]:
        same(one["why"], read(bytes.fromhex(one["record"]), binding), None)
    for one in examples["notes"]:
        place = Place(one["name"], secret_of(one), one["medium"], one["hour"])
        lifetime, made = note(place, one)
        same("lifetime", lifetime, one["lifetime_s"])
        same("note", made.hex(), one["note"])
    for one in examples["bundles"]:
        place = Place(one["name"], secret_of(one), one["medium"], one["hour"])
        at = place.slot(*one["slot"]) if one["slot"] else place.locator
        records, nonce = [bytes.fromhex(r) for r in one["records"]], bytes.fromhex(one["nonce"])
        bundle = sealed(place, at, nonce, records, one["room"])
        same("bundle", bundle.hex(), one["bundle"])
        newest, bad = opened(place, at, bundle)
        same("newest", [r.hex() for r in newest], one["newest"])
        same("bad", bad, one["bad"])
        try:
            opened(place, bytes(32), bundle)
            raise AssertionError("a bundle opens elsewhere")
        except InvalidTag:
            pass
    print(f"{same.count} examples are as README.md says")


if __name__ == "__main__":
    main()
