"""Puts a signature that bitboot made to programs of other people: check.py SCHEME FILE."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import coincurve
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from eth_keys import keys as eth
from solders.pubkey import Pubkey
from solders.signature import Signature


def openssl(key, payload, signature, *words):
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder, name) for name in ("key", "payload", "signature")]
        for name, content in zip(names, (pem, payload, signature)):
            name.write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", names[0], "-in", names[1], "-sigfile", names[2]]
        return subprocess.run([*command, *words], capture_output=True).returncode == 0


def ecdsa_der(public, payload, signature):
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public)
    key.verify(signature, payload, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    # Low s, and DER with nothing else in it (BIP 66): libsecp256k1 takes no other.
    return coincurve.PublicKey(public).verify(signature, payload, hasher=None) and openssl(key, payload, signature)


def ecdsa_recoverable(public, payload, signature):
    recovered = coincurve.PublicKey.from_signature_and_message(signature, payload, hasher=None)
    other = eth.Signature(signature).recover_public_key_from_msg_hash(payload)
    return recovered.format() == public and other.to_compressed_bytes() == public


def bip340(public, payload, signature):
    return coincurve.PublicKeyXOnly(public).verify(signature, payload)


def ed25519(public, payload, signature):
    return Signature.from_bytes(signature).verify(Pubkey.from_bytes(public), payload)


def rsa_pss(public, payload, signature):
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(public)).public_key()
    key.verify(signature, payload, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(payload)
    options = ("digest:sha256", "rsa_padding_mode:pss", "rsa_pss_saltlen:32", "rsa_mgf1_md:sha256")
    words = [word for option in options for word in ("-pkeyopt", option)]
    return openssl(key, digest.finalize(), signature, *words)


SCHEMES = {
    "ecdsa-der": ecdsa_der,
    "ecdsa-recoverable": ecdsa_recoverable,
    "bip340": bip340,
    "ed25519": ed25519,
    "rsa-pss-sha256": rsa_pss,
}


def accepts(scheme, *parts):
    try:
        return SCHEMES[scheme](*parts)
    except (InvalidSignature, ValueError, eth.exceptions.BadSignature if hasattr(eth, "exceptions") else ValueError):
        return False


scheme, file = sys.argv[1:]
written = json.loads(Path(file).read_text())
public, payload, signature = (bytes(written[name]) for name in ("public", "payload", "signature"))
assert accepts(scheme, public, payload, signature), "refused"
changed = bytes([payload[0] ^ 1]) + payload[1:]
assert not accepts(scheme, public, changed, signature), "accepted what was changed"
print("accepted; refused when changed")
