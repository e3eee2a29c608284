"""The transactions of transactions.txt, made by Solana's own library: pip install solders==0.29.0; python make.py > transactions.txt"""

import base64

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import Transaction

STORE = Pubkey.from_string("Config1111111111111111111111111111111111111")
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
writer, account = Keypair.from_seed(bytes([7] * 32)), Keypair.from_seed(bytes([9] * 32))
place, blockhash = Pubkey(bytes([5] * 32)), Hash(bytes([3] * 32))
data = bytes(range(200))


def tell(name, signers, *instructions):
    message = Message.new_with_blockhash(list(instructions), writer.pubkey(), blockhash)
    print(name, bytes(Transaction(signers, message, blockhash)).hex())


def store(is_first):
    accounts = [AccountMeta(account.pubkey(), is_first, True), AccountMeta(writer.pubkey(), True, False)]
    return Instruction(STORE, data, accounts)


limit, price = set_compute_unit_limit(20000), set_compute_unit_price(123456)
create = create_account(CreateAccountParams(
    from_pubkey=writer.pubkey(), to_pubkey=account.pubkey(), lamports=2770080, space=278, owner=STORE))
tell("create", [writer, account], limit, price, create, store(True))
tell("update", [writer], limit, store(False))

nothing = transfer(TransferParams(from_pubkey=writer.pubkey(), to_pubkey=writer.pubkey(), lamports=0))
named = Instruction(nothing.program_id, bytes(nothing.data), list(nothing.accounts) + [AccountMeta(place, False, False)])
tell("memo", [writer], limit, named, Instruction(MEMO, base64.b64encode(bytes(range(168))), []))
