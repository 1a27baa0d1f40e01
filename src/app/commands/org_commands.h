// What the files of the command `org` share.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "leither/crypto/sign.h"

#include "app/session.h"

namespace leither::app {

// join, applications, approve, refuse, sponsor, leave.
void add_joining_commands(CLI::App& group, Session& session);

// list, open, close.
void add_place_commands(CLI::App& group, Session& session);

// The wallet's key of that name; made now if there is none, so that founding and joining take one
// command.
crypto::KeyPair key_or_new(Session& session, const std::string& name);

}  // namespace leither::app
