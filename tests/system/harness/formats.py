"""What members sign, byte for byte (docs/protocol/encoding.md, transactions.md, blocks.md)."""

import struct

from .sodium import blake2b

NO_CHAIN = bytes(32)
TRANSFER, JOIN = 0, 1
COVER_WAIVED = 0


def length(value):
    """ULEB128, as BCS writes lengths and variant indexes."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def u64(value):
    return struct.pack("<Q", value)


def u32(value):
    return struct.pack("<I", value)


def u16(value):
    return struct.pack("<H", value)


def text(value):
    encoded = value.encode()
    return length(len(encoded)) + encoded


def tagged(tag, chain, body):
    return text(tag) + chain + body


# ---- Founding ----------------------------------------------------------------------------------------

# In the order of protocol::Params.
PARAMS = {
    "pulse_ms": 1000, "cycle_pulses": 1800, "expiry_pulses_max": 600, "member_transactions_per_cycle": 60,
    "member_transactions_per_pulse": 4, "block_bytes_max": 256 << 10, "publicity_pulses": 86400,
    "reward_daily_basis_points": 100, "pledge_release_pulses": 14 * 86400, "supervisors_required": 1,
    "vote_pulses": 86400, "mining_reward_per_cycle": 0,
}
# So that no limit meant for people stands in the way of a test.
OPEN_PARAMS = dict(PARAMS, pulse_ms=100, expiry_pulses_max=86400, member_transactions_per_cycle=1_000_000_000,
                   member_transactions_per_pulse=1_000_000_000, block_bytes_max=16 << 20, publicity_pulses=0)


def _listed(allocations):
    return length(len(allocations)) + b"".join(
        key + u64(amount) + text("opening balance") for key, amount in allocations)


def signed_charter(organization, founder, bookkeepers, time_ms, supply, allocations, params, name="Test"):
    """(signed charter bytes, chain id). bookkeepers: their nodes' public keys, by seat."""
    charter = (text(name) + text("credit") + bytes([2]) + u64(time_ms) + organization.public + founder.public +
               length(len(bookkeepers)) + b"".join(bookkeepers) + u64(supply) +
               blake2b(tagged("leither/allocation/1", NO_CHAIN, _listed(allocations))) +
               text("A ledger for tests.") + b"".join(u32(params[key]) for key in PARAMS))
    message = tagged("leither/charter/1", NO_CHAIN, charter)
    return charter + organization.sign(message), blake2b(message)


def genesis(organization, founder, bookkeepers, time_ms, supply, allocations, params, name="Test"):
    """(genesis bytes, chain id). allocations: [(public key, amount)]."""
    charter, chain = signed_charter(organization, founder, bookkeepers, time_ms, supply, allocations, params, name)
    return charter + _listed(allocations), chain


class Reader:
    """Walks over BCS."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def skip(self, count):
        self.at += count

    def take(self, count):
        self.skip(count)
        return self.data[self.at - count:self.at]

    def length(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def author_of(receipt):
    """The seat of who proposed the block that this receipt is of, if the charter's committee has certified it."""
    reader = Reader(receipt)
    reader.skip(reader.length())  # name
    reader.skip(reader.length())  # unit
    reader.skip(1 + 8 + 32 + 32)  # decimals, time, organization, founder
    reader.skip(32 * reader.length())  # bookkeepers
    reader.skip(8 + 32)  # supply, allocations
    reader.skip(reader.length())  # announcement
    reader.skip(4 * len(PARAMS) + 64)  # and the charter's signature
    if reader.length():
        raise ValueError("other committees have come since")
    reader.skip(8 + 8 + 32 + 32 + 8 + 32 + 4)  # the header up to its author
    return struct.unpack_from("<H", receipt, reader.at)[0]


# ---- Transactions --------------------------------------------------------------------------------------

def _signed(chain, signer, counter, expiry, action, first_signature):
    """(transaction bytes, id) with lane 0 and no cosigners."""
    body = signer.id + bytes([0]) + u64(counter) + u64(expiry) + length(0) + action
    message = tagged("leither/transaction/1", chain, body)
    return body + length(2) + first_signature + signer.sign(message), blake2b(message)


def transfer(chain, payer, payee, amount, counter, expiry, reference=""):
    request = payee.id + u64(amount) + text(reference) + u64(expiry) + bytes([COVER_WAIVED])
    signature = payee.sign(tagged("leither/payment-request/1", chain, request))
    return _signed(chain, payer, counter, expiry, length(TRANSFER) + request, signature)


def join(chain, supervisor, applicant, counter, expiry):
    application = applicant.public + bytes([0]) + text("") + u64(expiry)
    signature = applicant.sign(tagged("leither/application/1", chain, application))
    return _signed(chain, supervisor, counter, expiry, length(JOIN) + application, signature)


# ---- Votes and evidence (agreement.md, election.md) -----------------------------------------------------

PREVOTE = 1
NO_ROUND = b"\0"


def _option(value):
    return b"\0" if value is None else b"\1" + value


def slot(height, round_=0, cycle=0):
    """In the root branch."""
    return u64(cycle) + bytes(20) + b"\0" + u64(height) + u32(round_)


def _prevote(chain, key, where, block):
    return key.sign(tagged("leither/prevote/1", chain, where + _option(block)))


def prevote(chain, key, where, seat, block=None):
    """A vote as bookkeepers send it; for none without a block."""
    return where + b"\0" + _option(block) + u16(seat) + _prevote(chain, key, where, block)


def two_prevotes(chain, key, where, seat, block):
    """What convicts the seat: for none, and for the block."""
    statements = [NO_ROUND + _option(said) + _prevote(chain, key, where, said) for said in (None, block)]
    return bytes([PREVOTE]) + where + u16(seat) + b"".join(statements)


def evidence_of_first_height(charter, conflict):
    """A record of version 1 without chain of committees: the charter's committee decides height 1."""
    return b"\1" + charter + length(0) + b"\0" + length(0) + conflict


def evidence_id(chain, height, round_, seat, cycle=0):
    return blake2b(tagged("leither/evidence/1", chain,
                          bytes([PREVOTE]) + u64(cycle) + u64(height) + u32(round_) + u16(seat)))
