#include "leither/protocol/block.h"

#include <gtest/gtest.h>

#include "leither/crypto/sign.h"

#include "support/generate.h"

namespace leither::protocol {
namespace {

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xc1));

struct Committee {
    std::vector<crypto::KeyPair> keys;
    std::vector<PublicKey> seats;

    explicit Committee(std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            keys.push_back(crypto::derive_key({}, i));
            seats.push_back(keys.back().public_key());
        }
    }
    Certificate certify(const BlockHeader& header, std::initializer_list<std::uint16_t> by) const {
        Certificate certificate;
        certificate.slot.height = header.sequence;
        certificate.block = block_hash(kChain, header);
        const Bytes message = precommit_message(kChain, certificate.slot, certificate.block);
        for (const std::uint16_t seat : by) {
            certificate.signatures.push_back({seat, keys[seat].sign(message)});
        }
        return certificate;
    }
};

BlockHeader some_header() {
    Prng prng(3);
    return testing::generate<BlockHeader>(prng);
}

TEST(Charter, ItsHashIsTheChainIdAndDependsOnEverything) {
    Charter charter;
    const ChainId first = chain_id(charter);
    charter.params.pulse_ms += 1;
    EXPECT_NE(chain_id(charter), first);
    EXPECT_NE(bookkeeping_id(chain_id(charter)), bookkeeping_id(first));
}

TEST(Charter, PulsesCountFromItsTime) {
    Charter charter;
    charter.time_ms = 10'000;
    EXPECT_EQ(pulse_at(charter, 0), Pulse(0));
    EXPECT_EQ(pulse_at(charter, 10'999), Pulse(0));
    EXPECT_EQ(pulse_at(charter, 11'000), Pulse(1));
    charter.params.pulse_ms = 250;
    EXPECT_EQ(pulse_at(charter, 11'000), Pulse(4));
}

TEST(Block, TransactionsHashDependsOnOrderAndSignatures) {
    Prng prng(5);
    Transactions transactions{testing::generate<Transaction>(prng),
                              testing::generate<Transaction>(prng)};
    const Hash hash = transactions_hash(kChain, transactions);
    std::swap(transactions[0], transactions[1]);
    EXPECT_NE(transactions_hash(kChain, transactions), hash);
    std::swap(transactions[0], transactions[1]);
    EXPECT_EQ(transactions_hash(kChain, transactions), hash);
    transactions[1].signatures.push_back(Signature{});
    EXPECT_NE(transactions_hash(kChain, transactions), hash);
}

TEST(Block, HashDependsOnEachField) {
    const BlockHeader header = some_header();
    const Hash hash = block_hash(kChain, header);
    Bytes bytes = bcs::encode(header);
    for (std::uint8_t& byte : bytes) {
        byte ^= 1;
        const auto other = bcs::decode<BlockHeader>(bytes);
        if (other) {
            EXPECT_NE(block_hash(kChain, *other), hash);
        }
        byte ^= 1;
    }
    EXPECT_NE(block_hash(ChainId{}, header), hash);
}

TEST(Quorum, IsMoreThanTwoThirdsButTwoOfTwoOrThree) {
    EXPECT_EQ(quorum(1), 1U);
    EXPECT_EQ(quorum(2), 2U);
    EXPECT_EQ(quorum(3), 2U);
    EXPECT_EQ(quorum(4), 3U);
    EXPECT_EQ(quorum(7), 5U);
    EXPECT_EQ(quorum(31), 21U);
}

TEST(Certificate, HoldsWithAQuorum) {
    const Committee committee(4);
    const BlockHeader header = some_header();
    EXPECT_TRUE(verify(committee.certify(header, {0, 2, 3}), kChain, header, committee.seats));
    EXPECT_TRUE(verify(committee.certify(header, {0, 1, 2, 3}), kChain, header, committee.seats));
}

TEST(Certificate, EachFaultHasItsError) {
    const Committee committee(4);
    const BlockHeader header = some_header();
    const auto error_of = [&](const Certificate& certificate) {
        const auto verdict = verify(certificate, kChain, header, committee.seats);
        return verdict ? std::string("none") : to_string(verdict.error());
    };
    const Certificate good = committee.certify(header, {0, 1, 2});
    ASSERT_EQ(error_of(good), "none");

    Certificate bad = good;
    bad.block[0] ^= 1;
    EXPECT_EQ(error_of(bad), "wrong_block");
    bad = good;
    bad.slot.height = bad.slot.height.next();
    EXPECT_EQ(error_of(bad), "wrong_block");
    bad = good;
    bad.slot.branch.bits = 1;
    EXPECT_EQ(error_of(bad), "wrong_block");
    bad = good;
    bad.signatures[2].seat = 4;
    EXPECT_EQ(error_of(bad), "unknown_seat");
    bad = good;
    bad.signatures[2] = bad.signatures[1];
    EXPECT_EQ(error_of(bad), "unknown_seat");
    EXPECT_EQ(error_of(committee.certify(header, {0, 1})), "too_few_signatures");
    bad = good;
    bad.signatures[1].seat = 2;
    bad.signatures[2].seat = 3;
    EXPECT_EQ(error_of(bad), "bad_signature");
    bad = good;
    bad.slot.round += 1;
    EXPECT_EQ(error_of(bad), "bad_signature");
}

TEST(Certificate, NoCommitteeDecidesNothing) {
    const BlockHeader header = some_header();
    const auto verdict = verify(Committee(1).certify(header, {}), kChain, header, {});
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error(), CertificateError::too_few_signatures);
}

TEST(Certificate, SeatsMustRise) {
    const Committee committee(4);
    Certificate certificate = committee.certify(some_header(), {2, 1});
    EXPECT_FALSE(bcs::decode<Certificate>(bcs::encode(certificate)).has_value());
}

TEST(Certificate, SmallCommitteesAreTrustedNotProven) {
    EXPECT_TRUE(is_trusted(1));
    EXPECT_TRUE(is_trusted(3));
    EXPECT_FALSE(is_trusted(4));
}

}  // namespace
}  // namespace leither::protocol
