#include "app/vote_text.h"

#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/printable.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* field) {
    return object.at(field).get<std::string>();
}

bool lacks(const json& vote, const char* what) {
    for (const json& each : vote.at("lacks")) {
        if (each == what) return true;
    }
    return false;
}

// Each threshold that is missed, with its numbers.
std::string lacking_text(const json& vote) {
    const auto yes = vote.at("yes").get<std::uint64_t>();
    const auto cast = yes + vote.at("no").get<std::uint64_t>();
    std::vector<std::string> reasons;
    if (lacks(vote, "quorum")) {
        reasons.push_back(fmt::format("{} of {} said yes, and at least {} must (a third)", yes,
                                      count_of(vote.at("members").get<std::uint64_t>(), "member"),
                                      vote.at("quorum").at("needed").dump()));
    }
    if (lacks(vote, "majority")) {
        reasons.push_back(fmt::format("{} of {} said yes, and at least {} must (two thirds)", yes,
                                      count_of(cast, "ballot"),
                                      vote.at("majority").at("needed").dump()));
    }
    return fmt::format("{}", fmt::join(reasons, "; "));
}

std::string standing_text(const json& vote) {
    return fmt::format("{} yes, {} no of {}", vote.at("yes").dump(), vote.at("no").dump(),
                       count_of(vote.at("members").get<std::uint64_t>(), "member"));
}

}  // namespace

std::string subject_text(Session& session, const json& subject) {
    if (subject.at("kind") == "parameter") {
        const auto unit = text_of(subject, "unit");
        return fmt::format("{} becomes {}{} (now {}): {}", text_of(subject, "parameter"),
                           subject.at("value").dump(), unit.empty() ? "" : " " + unit,
                           subject.at("now").dump(),
                           printable(text_of(subject, "reason"), LineBreaks::escaped));
    }
    const auto member = Id::parse(text_of(subject, "member")).value_or(Id());
    return fmt::format("{} reward of {} to {}: {}", text_of(subject, "kind"),
                       session.format_units(subject.at("amount")), session.short_name(member),
                       printable(text_of(subject, "reason"), LineBreaks::escaped));
}

std::string verdict_text(const json& vote) {
    const auto state = text_of(vote, "state");
    if (state == "rejected") return "rejected: " + lacking_text(vote);
    if (state == "passed") return "passed: " + standing_text(vote);
    if (state == "unpaid") {
        return fmt::format(
            "unpaid: {}, but the member had left, or the treasury could not pay within eight days",
            standing_text(vote));
    }
    if (state == "waiting") {
        return fmt::format("waiting: {}; today's share of rewards is used up, paid from {}",
                           standing_text(vote),
                           format_time(vote.at("retry_ms").get<std::uint64_t>()));
    }
    const std::string missing = lacking_text(vote);
    return fmt::format("{}: {}; {}", state, standing_text(vote),
                       missing.empty() ? "it would pass now" : "it would not pass now: " + missing);
}

std::string effect_text(const json& vote) {
    const auto effect = vote.find("effect");
    if (effect == vote.end()) return "";
    if (const auto cycle = effect->find("from_cycle"); cycle != effect->end()) {
        return fmt::format("in force from the beginning of cycle {}", cycle->dump());
    }
    if (effect->contains("in_force")) {
        return effect->at("in_force").get<bool>() ? "in force"
                                                  : "was in force; a later vote changed it again";
    }
    if (!effect->at("pending").get<bool>()) return "paid";
    return "to be paid from " + format_time(effect->at("due_ms").get<std::uint64_t>());
}

std::string own_text(const json& vote) {
    const auto own = vote.find("own");
    if (own == vote.end()) return "";
    if (const auto choice = own->find("choice"); choice != own->end()) {
        return choice->get<std::string>();
    }
    const auto standing = own->at("standing").get<std::string>();
    if (standing == "may_cast") return "not yet";
    if (standing == "has_cast") return "cast";
    if (standing == "joined_after") return "joined too late";
    if (standing == "not_member") return "no member";
    return "none found";
}

}  // namespace leither::app
