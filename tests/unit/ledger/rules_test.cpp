// Runs tests/scenario/rules.txt; its head says what the words mean.
#include "leither/ledger/rules.h"

#include <charconv>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash_chain.h"
#include "leither/ledger/cycle.h"
#include "leither/ledger/invariants.h"
#include "leither/protocol/domain_tags.h"

#include "support/ledger_world.h"
#include "support/shared_data.h"

namespace leither::ledger {
namespace {

using protocol::Params;
using protocol::Refusal;
using protocol::to_string;
using protocol::Transaction;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;
using Words = std::vector<std::string>;

Words words_of(const std::string& text, char separator) {
    Words words;
    std::istringstream in(text);
    for (std::string word; std::getline(in, word, separator);) {
        if (!word.empty()) words.push_back(word);
    }
    return words;
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    const char* begin = text.c_str() + (text.starts_with('+') ? 1 : 0);
    const auto [end, error] = std::from_chars(begin, text.c_str() + text.size(), value);
    CHECK(error == std::errc{} && *end == '\0', text);
    return value;
}

// A row's arguments and its key=value words.
struct Row {
    std::string kind;
    Words arguments;
    std::map<std::string, std::string> options;

    explicit Row(const Words& words) : kind(words.front()) {
        for (auto word = words.begin() + 1; word != words.end(); ++word) {
            const auto equals = word->find('=');
            if (equals == std::string::npos) {
                arguments.push_back(*word);
            } else {
                options[word->substr(0, equals)] = word->substr(equals + 1);
            }
        }
    }
    bool has(const std::string& option) const { return options.contains(option); }
    std::int64_t offset(const std::string& option, std::int64_t otherwise) const {
        return has(option) ? number(options.at(option)) : otherwise;
    }
    const std::string& name(std::size_t i) const { return arguments.at(i); }
    std::uint64_t amount(std::size_t i) const {
        return static_cast<std::uint64_t>(number(arguments.at(i)));
    }
    // The same row for its n-th repetition.
    Row repetition(std::int64_t n) const {
        Row copy = *this;
        for (std::string& argument : copy.arguments) {
            if (argument.ends_with('#'))
                argument.replace(argument.size() - 1, 1, std::to_string(n));
        }
        return copy;
    }
};

testing::Founding founding_of(const Row& row) {
    testing::Founding founding;
    for (const auto& [name, value] : row.options) {
        const auto units = static_cast<std::uint64_t>(number(value));
        const auto* param =
            std::ranges::find(protocol::kParamTable, name, &protocol::ParamInfo::name);
        if (name == "supply") {
            founding.supply = units;
        } else if (param != std::end(protocol::kParamTable)) {
            founding.params.*param->member = static_cast<std::uint32_t>(units);
        } else {
            founding.allocations.push_back({name, units});
        }
    }
    return founding;
}

// One organization and the block that is being filled.
class Interpreter {
 public:
    explicit Interpreter(const Row& row) : world_(founding_of(row)) {
        open_block(Pulse(1), Cycle::begins);
    }

    // Whether a cycle block comes if it is time, or a takeover instead.
    enum class Cycle : std::uint8_t { begins, waits };
    void pass_pulses(std::uint64_t count, Cycle cycle) {
        auto update = must(world_.tree.prepare(state_->changes(), place_.sequence));
        check_invariants(*state_, update.version().root);
        BlockHeader header = world_.parent().header;
        header.root = update.version().root;
        header.sequence = place_.sequence;
        header.pulse = place_.pulse;
        world_.commit({header, std::move(update)}, {});
        open_block(Pulse(place_.pulse.value() + count), cycle);
    }

    // The verdict on the row's transaction, which is applied if it is ok.
    std::string run(const Row& row) {
        Bytes bytes = bcs::encode(transaction_of(row));
        bytes.resize(bytes.size() + static_cast<std::size_t>(row.offset("bytes", 0)));
        const auto verdict = judge(bytes);
        return verdict ? "ok" : protocol::to_string(verdict.error().code);
    }

    const protocol::MemberRecord* member(const std::string& name) {
        must(state_->load(id(name)));
        return state_->member(id(name));
    }
    State& state() { return *state_; }
    // The present committee by name, in alphabetical order.
    Words seats() const {
        Words names;
        for (const auto& seat : state_->election().present) {
            for (const char* name : {"alice", "bob", "carol", "dave", "node"}) {
                if (seat.member == id(name)) names.emplace_back(name);
            }
        }
        std::ranges::sort(names);
        return names;
    }

 private:
    void open_block(Pulse pulse, Cycle cycle) {
        state_.emplace(world_.organization, world_.tree);
        place_ = {pulse, world_.parent().header.sequence.next()};
        must(state_->load_system());
        state_->stand_on({world_.parent().hash, world_.parent().header.pulse});
        if (cycle == Cycle::begins && state_->election().end_pulse <= place_.pulse) {
            // Nobody here has vote keys; let all have signed.
            const auto seats = state_->election().present.size();
            must(begin_cycle(*state_, place_, (std::uint32_t{1} << seats) - 1));
        }
        must(apply_due(*state_, place_));
    }

    Id id(const std::string& name) const {
        return name == "book" ? world_.organization.bookkeeping : key_of(name).id();
    }

    Result<void, Refused> judge(const Bytes& bytes) {
        const Transaction transaction = TRY(read_transaction(bytes));
        must(state_->load(transaction));
        TRY(check(*state_, place_, transaction, PulseLimit::enforce));
        const auto checks = TRY(signature_checks(*state_, transaction));
        for (std::size_t i = 0; i < checks.size(); ++i) {
            if (!testing::holds(checks[i])) return fail(Refused{Refusal::bad_signature, i, 0});
        }
        apply(*state_, place_, transaction);
        if (std::holds_alternative<protocol::Propose>(transaction.body.action)) {
            const auto& [signer, nonce, expiry, cosigners, action] = transaction.body;
            votes_.push_back(
                protocol::vote_id(world_.organization.chain, signer, nonce.lane, nonce.counter));
        }
        return {};
    }

    Pulse from_now(std::int64_t offset) const {
        return Pulse(place_.pulse.value() + static_cast<std::uint64_t>(offset));
    }

    static bool is_of_node(const Row& row) {
        return row.kind == "reveal" || row.kind == "ready" || row.kind == "claim" ||
               row.kind == "evidence-by-node";
    }

    wallet::Draft draft_of(const Row& row) {
        const auto lane = static_cast<std::uint8_t>(
            row.offset("lane", is_of_node(row) ? protocol::kNodeLane : 0));
        const auto* signer = member(row.name(0));
        const std::uint64_t expected = signer != nullptr ? signer->next_counter(lane) : 0;
        const auto counter = expected + static_cast<std::uint64_t>(row.offset("counter", 0));
        return {world_.organization.chain, {lane, counter}, from_now(row.offset("expiry", 5))};
    }

    std::vector<crypto::KeyPair> cosigners_of(const Row& row) const {
        std::vector<crypto::KeyPair> keys;
        if (!row.has("cosign")) return keys;
        for (const auto& name : words_of(row.options.at("cosign"), ',')) {
            keys.push_back(key_of(name));
        }
        return keys;
    }

    wallet::SignedApplication application_of(const Row& row) const {
        protocol::Application application;
        application.applicant = key_of(row.name(1)).public_key();
        application.expiry = from_now(row.offset("half", 5));
        if (row.has("sponsor")) application.sponsor = id(row.options.at("sponsor"));
        return wallet::sign_application(world_.organization.chain, application,
                                        key_of(row.name(1)));
    }

    protocol::Transfer transfer_of(const Row& row) const {
        protocol::PaymentRequest request;
        request.payee = id(row.name(1));
        request.amount = Amount::of(row.amount(2));
        request.expiry = from_now(row.offset("half", 5));
        if (row.has("cover")) request.cover = protocol::Cover::required;
        return {request};
    }

    // A transfer with cosigners: wallets never make one, the rules must still judge it.
    Transaction cosigned_transfer(const Row& row) {
        const auto& chain = world_.organization.chain;
        const protocol::Transfer transfer = transfer_of(row);
        const auto payee = key_of(row.name(1));
        Transaction transaction = wallet::sign(draft_of(row), protocol::Cancel{},
                                               key_of(row.name(0)), nullptr, cosigners_of(row));
        transaction.body.action = transfer;
        const Bytes message = signing_message(chain, transaction.body);
        transaction.signatures.clear();
        transaction.signatures.push_back(payee.sign(signing_message(chain, transfer.request)));
        transaction.signatures.push_back(key_of(row.name(0)).sign(message));
        for (const Id& cosigner : transaction.body.cosigners) {
            for (const auto& key : cosigners_of(row)) {
                if (key.id() == cosigner) transaction.signatures.push_back(key.sign(message));
            }
        }
        return transaction;
    }

    protocol::Action action_of(const Row& row) const {
        if (row.kind == "leave") return protocol::Leave{id(row.name(1))};
        if (row.kind == "role") {
            const bool up = row.name(2) == "supervisor";
            return protocol::SetRole{id(row.name(1)),
                                     up ? protocol::Role::supervisor : protocol::Role::member};
        }
        if (row.kind == "reward") {
            protocol::Reward reward;
            reward.member = id(row.name(1));
            reward.amount = Amount::of(row.amount(2));
            if (!row.has("reason")) reward.reason = protocol::LongText("good work");
            for (int kind = 0; kind <= static_cast<int>(last_of(reward.kind)); ++kind) {
                const auto each = static_cast<protocol::RewardKind>(kind);
                if (row.has("kind") && row.options.at("kind") == to_string(each))
                    reward.kind = each;
            }
            return reward;
        }
        if (row.kind == "pledge") {
            return protocol::Pledge{
                Amount::of(row.amount(1)),
                {node_of(row.name(0)).public_key(), links_of(row.name(0)).head()}};
        }
        if (row.kind == "propose") return protocol::Propose{subject_of(row)};
        if (row.kind == "cast") return cast_of(row);
        if (row.kind == "evidence") return report_of(row);
        if (row.kind == "hand-over") return hand_over_of(row);
        if (row.kind == "recovery") return recovery_of(row);
        if (row.kind == "release") return protocol::Release{};
        CHECK(row.kind == "cancel", row.kind);
        return protocol::Cancel{};
    }

    // ---- Elections: NAME's node, vote key and reveal chain follow from its name ----------------

    static crypto::KeyPair node_of(const std::string& name) { return key_of(name + "'s node"); }
    crypto::HashChain links_of(const std::string& name) const {
        return {protocol::tags::kRevealLink, world_.organization.chain,
                crypto::blake2b_256(as_bytes(name)), 20};
    }
    crypto::KeyPair vote_key_of(const std::string& name, std::uint64_t term) const {
        return key_of(name + "'s vote " + std::to_string(term));
    }
    std::uint64_t cycle_of(const Row& row, std::int64_t otherwise) const {
        const auto now = static_cast<std::int64_t>(state_->election().cycle);
        return static_cast<std::uint64_t>(now + row.offset("cycle", otherwise));
    }

    protocol::Action node_act_of(const Row& row) const {
        if (row.kind == "evidence-by-node") return report_of(row);
        if (row.kind == "ready") return protocol::Ready{cycle_of(row, 1)};
        if (row.kind == "claim") {
            protocol::Claim claim{cycle_of(row, -1), Amount::of(row.amount(1)), {}};
            claim.proof.path.resize(5);
            return claim;
        }
        const auto key =
            row.has("key") ? node_of(row.name(0)) : vote_key_of(row.name(0), cycle_of(row, 3));
        const auto link = static_cast<std::uint32_t>(number(row.name(1)));
        return protocol::Reveal{links_of(row.name(0)).link(link), key.public_key()};
    }

    protocol::Subject subject_of(const Row& row) const {
        if (row.name(1) != "param") {
            protocol::Grant grant;
            grant.kind = row.name(1) == "operation" ? protocol::RewardKind::operation
                                                    : protocol::RewardKind::structural;
            grant.member = id(row.name(2));
            grant.amount = Amount::of(row.amount(3));
            if (!row.has("reason")) grant.reason = protocol::LongText("built it");
            return grant;
        }
        const auto* info =
            std::ranges::find(protocol::kParamTable, row.name(2), &protocol::ParamInfo::name);
        CHECK(info != std::end(protocol::kParamTable));
        protocol::ParamProposal proposal;
        proposal.change = {static_cast<std::uint8_t>(info - std::begin(protocol::kParamTable)),
                           static_cast<std::uint32_t>(row.amount(3))};
        if (!row.has("reason")) proposal.reason = protocol::LongText("it is time");
        return proposal;
    }

    // Votes are named by their place among those proposed so far.
    protocol::Cast cast_of(const Row& row) const {
        const auto& vote = votes_.at(static_cast<std::size_t>(number(row.name(1))));
        const bool yes = row.name(2) == "yes";
        return {vote, yes ? protocol::Choice::yes : protocol::Choice::no};
    }

    // 0 if it has none in that term.
    std::uint16_t seat_of(const Id& member, std::uint64_t cycle) const {
        const auto& record = state_->election();
        const auto& seats = cycle == record.cycle ? record.present : record.former;
        const auto seat = std::ranges::find(seats, member, &protocol::Seat::member);
        return seat == seats.end() ? std::uint16_t{0}
                                   : static_cast<std::uint16_t>(seat - seats.begin());
    }

    protocol::Evidence report_of(const Row& row) const {
        protocol::Evidence report = evidence_of(row);
        if (!row.has("delegated")) return report;
        const std::string& how = row.options.at("delegated");
        const auto account = key_of(how == "other" ? "bob" : row.name(0));
        const protocol::Charter& charter = world_.organization.charter;
        const std::uint64_t pulse = place_.pulse.value() + (how == "late" ? 0 : 1);
        const protocol::Validity validity{0, charter.time_ms + pulse * charter.params.pulse_ms};
        report.delegation = protocol::sign(
            world_.organization.chain,
            {account.public_key(), node_of(row.name(0)).public_key(), validity}, account);
        if (how == "forged") report.delegation->signature = Signature{};
        return report;
    }

    protocol::Evidence evidence_of(const Row& row) const {
        protocol::Conflict conflict;
        conflict.slot.cycle = cycle_of(row, 0);
        conflict.slot.height = Sequence(7);
        conflict.second.block = Hash{};
        const std::string& accused = row.name(1);
        conflict.seat = seat_of(id(accused), conflict.slot.cycle);
        const auto key = vote_key_of(accused, conflict.slot.cycle);
        for (auto* statement : {&conflict.first, &conflict.second}) {
            statement->signature = key.sign(protocol::signing_message(
                world_.organization.chain, conflict.kind, conflict.slot, *statement));
        }
        if (row.has("bad")) conflict.second.signature[0] ^= 1;
        return {id(accused), conflict};
    }

    protocol::LastBlock last_block(const Row& row) const {
        const auto parent = world_.parent();
        const auto offset = static_cast<std::uint64_t>(row.offset("last", 0));
        return {state_->election().cycle, Sequence(parent.header.sequence.value() + offset),
                parent.hash};
    }
    // By the candidates named, in the order of the table.
    template <class Signatures>
    Signatures signed_by(const Row& row, const Bytes& message) const {
        Signatures all;
        const auto names = row.has("by") ? words_of(row.options.at("by"), ',') : Words{};
        const auto& rows = state_->candidates().rows;
        for (std::uint16_t i = 0; i < rows.size(); ++i) {
            for (const auto& name : names) {
                if (rows[i].member != id(name)) continue;
                const auto& key = row.has("bad") ? key_of(name) : node_of(name);
                all.push_back({i, key.sign(message)});
            }
        }
        return all;
    }
    protocol::HandOver hand_over_of(const Row& row) const {
        protocol::HandOver act;
        act.last = last_block(row);
        const auto node = node_of(row.name(1)).public_key();
        act.seats.push_back({id(row.name(1)), node, node});
        const protocol::Seats seats(act.seats.begin(), act.seats.end());
        act.countersigned = signed_by<decltype(act.countersigned)>(
            row, countersigning_message(world_.organization.chain, act.last, seats));
        return act;
    }
    protocol::Recovery recovery_of(const Row& row) const {
        protocol::Recovery act;
        act.last = last_block(row);
        act.signatures = signed_by<decltype(act.signatures)>(
            row, signing_message(world_.organization.chain, act.last));
        return act;
    }

    Transaction untouched(const Row& row) {
        must(state_->load(world_.organization.candidates));
        if (is_of_node(row)) {
            return wallet::act_as_node(draft_of(row), node_act_of(row), id(row.name(0)),
                                       node_of(row.name(0)));
        }
        if (row.kind == "transfer") return cosigned_transfer(row);
        const auto cosigners = cosigners_of(row);
        const auto signer = key_of(row.name(0));
        if (row.kind == "join") {
            return wallet::admit(draft_of(row), application_of(row), signer, cosigners);
        }
        if (row.kind == "earn") {
            wallet::Earning earning{crypto::blake2b_256(as_bytes("task")),
                                    Amount::of(row.amount(2)),
                                    {},
                                    protocol::LongText("minutes of the meeting")};
            if (!row.has("reason")) earning.reason = protocol::LongText("built the shed");
            return wallet::admit_for(draft_of(row), application_of(row), std::move(earning), signer,
                                     cosigners);
        }
        const bool has_other = row.kind == "leave" || row.kind == "role";
        const auto other = key_of(has_other ? row.name(1) : row.name(0));
        return wallet::sign(draft_of(row), action_of(row), signer, has_other ? &other : nullptr,
                            cosigners);
    }

    Transaction transaction_of(const Row& row) {
        Transaction transaction = untouched(row);
        auto& signatures = transaction.signatures;
        const auto wanted =
            static_cast<std::int64_t>(signatures.size()) + row.offset("signatures", 0);
        signatures.resize(static_cast<std::size_t>(wanted));
        if (row.has("forged")) {
            signatures.at(static_cast<std::size_t>(row.offset("forged", 0)))[0] ^= 1;
        }
        auto& cosigners = transaction.body.cosigners;
        if (row.has("swap")) std::swap(cosigners.at(0), cosigners.at(1));
        return transaction;
    }

    LedgerWorld world_;
    Place place_;
    std::optional<State> state_;
    std::vector<Id> votes_;
};

class RuleTable {
 public:
    void run_line(const Words& words) {
        const std::string& first = words.front();
        if (first == "ledger") {
            interpreter_.reset();
            interpreter_ = std::make_unique<Interpreter>(Row(words));
        } else if (first == "pulse") {
            interpreter_->pass_pulses(static_cast<std::uint64_t>(number(words.at(1))),
                                      Interpreter::Cycle::begins);
        } else if (first == "silence") {
            interpreter_->pass_pulses(static_cast<std::uint64_t>(number(words.at(1))),
                                      Interpreter::Cycle::waits);
        } else if (!run_expectation(words)) {
            run_transaction(words);
        }
    }
    const std::set<std::string>& verdicts() const { return verdicts_; }

 private:
    bool run_expectation(const Words& words) {
        const std::string& first = words.front();
        if (first == "balance") {
            const auto* member = interpreter_->member(words.at(1));
            EXPECT_EQ(member == nullptr ? "absent" : std::to_string(member->balance.units()),
                      words.at(2));
        } else if (first == "absent") {
            EXPECT_EQ(interpreter_->member(words.at(1)), nullptr);
        } else if (first == "treasury") {
            const auto balance = interpreter_->state().treasury().balance.units();
            EXPECT_EQ(std::to_string(balance), words.at(1));
        } else if (first == "cycle") {
            const auto cycle = interpreter_->state().election().cycle;
            EXPECT_EQ(std::to_string(cycle), words.at(1));
        } else if (first == "param") {
            const auto* info =
                std::ranges::find(protocol::kParamTable, words.at(1), &protocol::ParamInfo::name);
            const auto& params = interpreter_->state().bookkeeping().params;
            EXPECT_EQ(std::to_string(params.*info->member), words.at(2));
        } else if (first == "seats") {
            EXPECT_EQ(interpreter_->seats(), Words(words.begin() + 1, words.end()));
        } else if (first == "members") {
            EXPECT_EQ(std::to_string(interpreter_->state().bookkeeping().members), words.at(1));
        } else {
            return false;
        }
        return true;
    }

    void run_transaction(const Words& words) {
        const Row row(Words(words.begin(), words.end() - 1));
        for (std::int64_t n = 1; n <= row.offset("times", 1); ++n) {
            EXPECT_EQ(interpreter_->run(row.repetition(n)), words.back()) << "repetition " << n;
        }
        verdicts_.insert(words.back());
    }

    std::unique_ptr<Interpreter> interpreter_;
    std::set<std::string> verdicts_;
};

std::set<std::string> run_table() {
    const auto path = testing::source_dir() / "tests/scenario/rules.txt";
    std::istringstream lines(testing::load_text(path));
    RuleTable table;
    std::size_t number_of_line = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number_of_line;
        const Words words = words_of(line, ' ');
        if (words.empty() || words.front().starts_with('#')) continue;
        SCOPED_TRACE("rules.txt:" + std::to_string(number_of_line) + ": " + line);
        table.run_line(words);
    }
    return table.verdicts();
}

TEST(Rules, EachRowHasItsVerdictAndEachRefusalARow) {
    std::set<std::string> verdicts = run_table();
    EXPECT_TRUE(verdicts.contains("ok"));
    // They need a cycle's rewards, or a thousand candidates: cycle_test.cpp has them.
    verdicts.insert({"too_many_candidates", "wrong_proof", "already_claimed"});
    for (int code = 0; code <= static_cast<int>(Refusal::too_little_pledge); ++code) {
        const char* name = protocol::to_string(static_cast<Refusal>(code));
        EXPECT_TRUE(verdicts.contains(name)) << "no row ends in " << name;
    }
}

}  // namespace
}  // namespace leither::ledger
