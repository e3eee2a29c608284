"""Keys as wallets of other people write and read them: forms.py make FOLDER, or forms.py read FORM FILE, which prints the public half."""

import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from eth_account import Account
from eth_keys import keys as eth
from solders.keypair import Keypair

PASSPHRASE = "a passphrase of the keystore"


def b64(number):
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def number(text):
    return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def jwk():
    private = rsa.generate_private_key(65537, 4096).private_numbers()
    fields = {"n": private.public_numbers.n, "e": 65537, "d": private.d, "p": private.p, "q": private.q}
    fields |= {"dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp}
    return {"kty": "RSA", **{name: b64(value) for name, value in fields.items()}}


def make(folder):
    account, keypair, web = Account.create(), Keypair(), jwk()
    forms = {
        "hex": account.key.hex().removeprefix("0x"),
        "keystore": json.dumps(Account.encrypt(account.key, PASSPHRASE, kdf="scrypt", iterations=4096)),
        "pbkdf2": json.dumps(Account.encrypt(account.key, PASSPHRASE, kdf="pbkdf2", iterations=1000)),
        "numbers": json.dumps(list(bytes(keypair))),
        "base58": str(keypair),
        "jwk": json.dumps(web),
    }
    for name, text in forms.items():
        Path(folder, name).write_text(text)
    Path(folder, "passphrase").write_text(PASSPHRASE)
    secp = eth.PrivateKey(bytes(account.key)).public_key
    assert secp.to_checksum_address() == account.address
    ours = {"secp256k1": secp.to_compressed_bytes().hex(), "ed25519": bytes(keypair.pubkey()).hex()}
    print(json.dumps(ours | {"rsa4096": f"{number(web['n']):0{1024}x}"}))


def read(form, file):
    text = Path(file).read_text().strip()
    if form == "hex":
        return eth.PrivateKey(bytes.fromhex(text)).public_key.to_compressed_bytes().hex()
    if form == "numbers":
        return bytes(Keypair.from_json(text).pubkey()).hex()
    if form == "base58":
        return bytes(Keypair.from_base58_string(text).pubkey()).hex()
    web = {name: number(value) for name, value in json.loads(text).items() if name != "kty"}
    public = rsa.RSAPublicNumbers(web["e"], web["n"])
    parts = (web[name] for name in ("p", "q", "d", "dp", "dq", "qi"))
    # Refuses parts that do not fit together.
    key = rsa.RSAPrivateNumbers(*parts, public).private_key()
    return f"{key.private_numbers().public_numbers.n:0{1024}x}"


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    print(read(*sys.argv[2:]))
