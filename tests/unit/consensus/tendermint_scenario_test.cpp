// Runs tests/scenario/agreement/*.txt: one machine, scripted messages, and what it says. A file is
// its own expectation: lines that begin with "< " are what must be said at that place.
//
//   committee N seat S|none [leader A]   a machine at height 2, first leader A; `start` starts it
//   block NAME [author=S] [pulse=+N|-N] [invalid] [omits] [signers=HEX]
//   proposal ROUND NAME [valid=R [shown=N]] [by=S] [forged] [bodiless]
//       [parent=forged]; valid: with prevotes of seats 0..N-1, a quorum if N is not given
//   prevote|precommit ROUND NAME|nil SEAT... [forged] [cycle=N] [height=N] [branch=BITS]
//   decision ROUND NAME SEAT...          a certificate and its block
//   wait MS                              time passes, timers fire; below 0: the clock steps back
//   log held | log flows                 whether the disk answers; `crash`: what it holds is lost
//   restart | silent | speak | rounds    the last shows what it holds
#include <charconv>
#include <filesystem>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leither/consensus/tendermint.h"
#include "leither/store/memory_store.h"

#include "support/agreement/toy_application.h"
#include "support/shared_data.h"

namespace leither::consensus {
namespace {

using protocol::Vote;
using protocol::VoteKind;
using Words = std::vector<std::string>;

Words words_of(const std::string& line) {
    std::istringstream in(line);
    Words words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

std::int64_t number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    CHECK(error == std::errc{} && end == text.data() + text.size(), text);
    return value;
}

struct Command {
    std::string verb;
    Words arguments;
    std::map<std::string, std::string> options;

    explicit Command(const Words& words) : verb(words.front()) {
        for (std::size_t i = 1; i < words.size(); ++i) {
            const auto equals = words[i].find('=');
            if (equals == std::string::npos) {
                arguments.push_back(words[i]);
            } else {
                options[words[i].substr(0, equals)] = words[i].substr(equals + 1);
            }
        }
    }
    bool has(const std::string& flag) const { return std::ranges::count(arguments, flag) > 0; }
    std::int64_t option(const std::string& name, std::int64_t otherwise) const {
        const auto found = options.find(name);
        return found == options.end() ? otherwise : number(found->second);
    }
    std::uint32_t round() const { return static_cast<std::uint32_t>(number(arguments.at(0))); }
};

class Script {
 public:
    std::string run(std::istream& file) {
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("< ")) continue;
            out_ += line + '\n';
            if (!line.empty() && !line.starts_with('#')) obey(Command(words_of(line)));
        }
        return out_;
    }

 private:
    void obey(const Command& command) {
        const std::string& verb = command.verb;
        if (verb == "committee") return found(command);
        if (verb == "start") return start({});
        if (verb == "block") return block(command);
        if (verb == "proposal") return proposal(command);
        if (verb == "prevote") return votes(VoteKind::prevote, command);
        if (verb == "precommit") return votes(VoteKind::precommit, command);
        if (verb == "decision") return decision(command);
        if (verb == "wait") return wait(std::chrono::milliseconds(number(command.arguments.at(0))));
        if (verb == "log") return log(command.has("held"));
        if (verb == "crash") return restart();
        if (verb == "restart") return restart();
        if (verb == "silent") return step(Tendermint::SetVoice{Voice::silent});
        if (verb == "speak") return step(Tendermint::SetVoice{Voice::speaking});
        if (verb == "rounds") return rounds();
        check_failed("no such verb", __FILE__, __LINE__, verb);
    }

    // The parent is block 1 of the same committee, certified by seats 0..quorum-1.
    void found(const Command& command) {
        const auto seats = static_cast<std::size_t>(number(command.arguments.at(0)));
        term_.cycle = 3;
        term_.committee = testing::seat_keys(seats);
        if (command.arguments.at(2) != "none") {
            term_.seat = static_cast<std::uint16_t>(number(command.arguments.at(2)));
            term_.key = testing::seat_key(*term_.seat);
        }
        term_.first_height = Sequence(1);
        if (command.arguments.size() > 4) {
            leader_ = static_cast<std::uint16_t>(number(command.arguments.at(4)));
        }
        parent_ = testing::toy_value(Sequence(1), {}, {Pulse(9), 0, 0}, 1).header;
        parent_hash_ = protocol::block_hash(testing::toy_chain(), parent_);
        parent_certificate_.slot = {3, {}, Sequence(1), 0};
        parent_certificate_.block = parent_hash_;
        const Bytes message = protocol::precommit_message(testing::toy_chain(),
                                                          parent_certificate_.slot, parent_hash_);
        for (std::uint16_t seat = 0; seat < protocol::quorum(seats); ++seat) {
            parent_certificate_.signatures.push_back({seat, testing::seat_key(seat).sign(message)});
        }
        application_.sequence = Sequence(2);
        application_.parent = parent_hash_;
    }

    void start(Replay&& replay) {
        Tendermint::Setup setup;
        setup.chain = testing::toy_chain();
        setup.term = term_;
        setup.parent = parent_;
        setup.parent_certificate = parent_certificate_;
        setup.first_leader = leader_;
        setup.timeouts = Timeouts::of(1000);
        setup.holds = crypto::verify;
        machine_.emplace(std::move(setup), application_);
        durable_ = 0;
        said_.clear();
        tell(*machine_->start(std::move(replay), now_));
    }

    void block(const Command& command) {
        const Pulse pulse(
            static_cast<std::uint64_t>(static_cast<std::int64_t>(application_.pulse(now_).value()) +
                                       command.option("pulse", 0)));
        const auto author = static_cast<std::uint16_t>(command.option("author", leader_));
        const auto signers = static_cast<std::uint32_t>(
            command.option("signers", protocol::signers_of(parent_certificate_)));
        const Value value = testing::toy_value(Sequence(2), parent_hash_, {pulse, author, signers},
                                               100 + blocks_.size());
        const Hash hash = protocol::block_hash(testing::toy_chain(), value.header);
        blocks_[command.arguments.at(0)] = value;
        names_[hash] = command.arguments.at(0);
        if (command.has("invalid")) application_.invalid.insert(hash);
        if (command.has("omits")) application_.omitting.insert(hash);
    }

    protocol::Slot slot(std::uint32_t round) const { return {3, {}, Sequence(2), round}; }

    void proposal(const Command& command) {
        const Value& value = blocks_.at(command.arguments.at(1));
        protocol::Proposal proposal{slot(command.round()), std::nullopt,       {}, value.header,
                                    parent_certificate_,   value.transactions, {}};
        if (command.options.contains("valid")) {
            proposal.valid_round = static_cast<std::uint32_t>(command.option("valid", 0));
            const auto shown = static_cast<std::uint16_t>(command.option(
                "shown", static_cast<std::int64_t>(protocol::quorum(term_.committee.size()))));
            for (std::uint16_t seat = 0; seat < shown; ++seat) {
                proposal.prevotes.push_back({seat, vote(VoteKind::prevote, *proposal.valid_round,
                                                        command.arguments.at(1), seat)
                                                       .signature});
            }
        }
        const auto leader =
            static_cast<std::int64_t>((leader_ + command.round()) % term_.committee.size());
        const auto by = static_cast<std::uint64_t>(command.option("by", leader));
        const auto claim = protocol::claim_of(testing::toy_chain(), proposal);
        proposal.signature =
            testing::seat_key(by).sign(protocol::signing_message(testing::toy_chain(), claim));
        if (command.has("forged")) proposal.signature[7] ^= 1;
        if (command.has("bodiless")) proposal.transactions.reset();
        if (command.options.contains("parent")) proposal.parent->signatures[0].signature[7] ^= 1;
        step(std::move(proposal));
    }

    Vote vote(VoteKind kind, std::uint32_t round, const std::string& name, std::uint16_t seat) {
        std::optional<Hash> block;
        if (name != "nil") {
            block = protocol::block_hash(testing::toy_chain(), blocks_.at(name).header);
        }
        Vote vote{slot(round), kind, block, seat, {}};
        vote.signature =
            testing::seat_key(seat).sign(protocol::signing_message(testing::toy_chain(), vote));
        return vote;
    }

    void votes(VoteKind kind, const Command& command) {
        for (std::size_t i = 2; i < command.arguments.size(); ++i) {
            if (command.arguments[i] == "forged") continue;
            const auto seat = static_cast<std::uint16_t>(number(command.arguments[i]));
            Vote cast = vote(kind, command.round(), command.arguments.at(1), seat);
            if (!command.options.empty()) {
                cast.slot.cycle = static_cast<std::uint64_t>(command.option("cycle", 3));
                cast.slot.height =
                    Sequence(static_cast<std::uint64_t>(command.option("height", 2)));
                cast.slot.branch.bits = static_cast<std::uint8_t>(command.option("branch", 0));
                cast.signature = testing::seat_key(seat).sign(
                    protocol::signing_message(testing::toy_chain(), cast));
            }
            if (command.has("forged")) cast.signature[7] ^= 1;
            step(std::move(cast));
        }
    }

    void decision(const Command& command) {
        const std::string& name = command.arguments.at(1);
        protocol::Decision decision;
        decision.header = blocks_.at(name).header;
        decision.transactions = blocks_.at(name).transactions;
        decision.certificate.slot = slot(command.round());
        decision.certificate.block = protocol::block_hash(testing::toy_chain(), decision.header);
        for (std::size_t i = 2; i < command.arguments.size(); ++i) {
            const auto seat = static_cast<std::uint16_t>(number(command.arguments[i]));
            decision.certificate.signatures.push_back(
                {seat, vote(VoteKind::precommit, command.round(), name, seat).signature});
        }
        step(std::move(decision));
    }

    void step(Tendermint::Input&& input) { tell(*machine_->step(std::move(input), now_)); }

    void wait(Duration duration) {
        const Instant until = now_ + duration;
        if (duration < Duration(0)) {
            now_ = until;
            step(Tendermint::SetVoice{Voice::speaking});  // anything that shows it the time
        }
        while (machine_ && machine_->next_deadline().value_or(until + Duration(1)) <= until) {
            now_ = std::max(now_, *machine_->next_deadline());
            step(Tendermint::Tick{});
        }
        now_ = until;
    }

    void log(bool held) {
        log_held_ = held;
        if (!held) flush();
    }

    void flush() {
        must(store_.write(batch_));
        batch_ = {};
        durable_ = machine_->records();
        step(Tendermint::Logged{durable_});
    }

    static void must(const Result<void, store::Fault>& result) { CHECK(result.has_value()); }

    void restart() {
        batch_ = {};
        log_held_ = false;
        start(*vote_log::read(store_, Sequence(2)));
    }

    void rounds() {
        for (const std::uint32_t round : machine_->rounds_of_interest()) {
            const auto held = machine_->held(round);
            out_ +=
                fmt::format("< holds {}{} prevotes {:b} precommits {:b}\n", round,
                            held.has_proposal ? " proposal" : "", held.prevotes, held.precommits);
        }
    }

    std::string name_of(const std::optional<Hash>& block) {
        if (!block) return "nil";
        const auto [name, is_new] = names_.emplace(*block, "mine");
        return name->second;
    }

    void say(const Tendermint::Item& item) {
        if (item.seat != term_.seat || !said_.insert(item).second) return;
        if (item.what == Tendermint::What::proposal) {
            const auto proposal = machine_->proposal(item.round, Tendermint::Body::left_out);
            if (!proposal) return;
            out_ += fmt::format(
                "< proposal {} {} valid={}\n", item.round, name_of(machine_->proposed(item.round)),
                proposal->valid_round ? std::to_string(*proposal->valid_round) : "none");
        } else if (const auto vote = machine_->vote(item)) {
            const auto kind = protocol::statement_kind(vote->kind);
            out_ += fmt::format("< {} {} {}\n", protocol::to_string(kind), item.round,
                                name_of(vote->block));
        }
    }

    void tell(Tendermint::Effects&& fx) {
        machine_->check_invariants();
        for (const LogRecord& record : fx.log) vote_log::put(batch_, Sequence(2), record);
        for (const Tendermint::Item& item : fx.news) say(item);
        for (const protocol::Conflict& conflict : fx.evidence) {
            const PublicKey& key = term_.committee[conflict.seat];
            CHECK(protocol::is_proven(conflict, testing::toy_chain(), key));
            const bool of_proposals = conflict.kind == protocol::StatementKind::proposal;
            out_ += of_proposals ? "< evidence of two proposals\n" : "< evidence of two votes\n";
        }
        if (fx.blame) {
            out_ += *fx.blame == Tendermint::Blame::bad_signature ? "< blame bad_signature\n"
                                                                  : "< blame bad_block\n";
        }
        if (fx.alarm) {
            out_ += *fx.alarm == Tendermint::Alarm::twin ? "< alarm twin\n"
                                                         : "< alarm invalid_decision\n";
        }
        if (fx.decided) {
            CHECK(protocol::verify(fx.decided->certificate, testing::toy_chain(),
                                   fx.decided->value.header, term_.committee));
            out_ += fmt::format("< decided {} in round {} by {:b}\n", name_of(fx.decided->block),
                                fx.decided->certificate.slot.round,
                                protocol::signers_of(fx.decided->certificate));
        }
        if (!log_held_ && durable_ < machine_->records()) flush();
    }

    testing::ToyApplication application_;
    store::MemoryStore store_;
    store::WriteBatch batch_;
    std::uint64_t durable_ = 0;
    bool log_held_ = false;
    Term term_;
    std::uint16_t leader_ = 0;
    protocol::BlockHeader parent_;
    Hash parent_hash_;
    protocol::Certificate parent_certificate_;
    std::optional<Tendermint> machine_;
    std::map<std::string, Value> blocks_;
    std::map<Hash, std::string> names_;
    std::set<Tendermint::Item> said_;
    Instant now_ = instant_from_unix_ms(10'000);
    std::string out_;
};

std::vector<std::filesystem::path> scripts() {
    std::vector<std::filesystem::path> found;
    const auto folder = testing::source_dir() / "tests/scenario/agreement";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
}

TEST(TendermintScenario, EachScriptIsItsOwnTrace) {
    ASSERT_FALSE(scripts().empty());
    for (const auto& path : scripts()) {
        SCOPED_TRACE(path.filename());
        const std::string text = testing::load_text(path);
        EXPECT_TRUE(text.starts_with("# ")) << "the first line says which rule it is about";
        std::istringstream in(text);
        EXPECT_EQ(Script().run(in), text);
    }
}

}  // namespace
}  // namespace leither::consensus
