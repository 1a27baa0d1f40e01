#include "app/passphrase.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "leither/crypto/passphrase.h"
#include "leither/crypto/secret.h"
#include "leither/io/secret_file.h"

#include "app/cli_error.h"

namespace leither::app {

namespace {

[[noreturn]] void refuse(const std::string& message, const std::string& next_step) {
    throw CliError(CliExit::local, "bad_passphrase", message, next_step);
}

// Up to the end of the line, of the file, or the longest passphrase.
Passphrase read_line(int descriptor) {
    std::string text;
    text.reserve(crypto::kPassphraseBytesMax + 1);  // so that no copy is left behind by growing
    char next = 0;
    while (text.size() <= crypto::kPassphraseBytesMax) {
        const ssize_t got = ::read(descriptor, &next, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) refuse("The passphrase cannot be read.", "Check the file descriptor.");
        if (got == 0 || next == '\n') break;
        text += next;
    }
    if (text.empty() || text.size() > crypto::kPassphraseBytesMax) {
        const std::size_t size = text.size();
        crypto::erase({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
        refuse(fmt::format("A passphrase has 1 to {} bytes, this one {}{}.",
                           crypto::kPassphraseBytesMax, size == 0 ? "" : "more than ",
                           size == 0 ? 0 : size - 1),
               "Give it on one line.");
    }
    return Passphrase(std::move(text));
}

class Descriptor {
 public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }

 private:
    int number_;
};

Passphrase read_file(const std::string& path) {
    auto content = io::read_secret_file(path, crypto::kPassphraseBytesMax + 2);
    if (!content) refuse(content.error(), "LEITHER_PASSPHRASE_FILE names it.");
    if (!*content) {
        refuse(fmt::format("There is no file {}.", path), "LEITHER_PASSPHRASE_FILE names it.");
    }
    std::string text(as_text(**content));
    crypto::erase(**content);
    text.resize(std::min(text.find('\n'), text.size()));
    if (text.empty() || text.size() > crypto::kPassphraseBytesMax) {
        refuse(fmt::format("The first line of {} is no passphrase: it must have 1 to {} bytes.",
                           path, crypto::kPassphraseBytesMax),
               "LEITHER_PASSPHRASE_FILE names it.");
    }
    return Passphrase(std::move(text));
}

// The terminal shows nothing of what is typed as long as this lives.
class NoEcho {
 public:
    explicit NoEcho(int terminal) : terminal_(terminal) {
        ::tcgetattr(terminal_, &before_);
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(terminal_, TCSAFLUSH, &quiet);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;
    ~NoEcho() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }

 private:
    int terminal_;
    termios before_{};
};

Passphrase ask(int terminal, const char* question) {
    fmt::print(stderr, "{}: ", question);
    std::fflush(stderr);
    const NoEcho quiet(terminal);
    auto answer = read_line(terminal);
    fmt::print(stderr, "\n");
    return answer;
}

}  // namespace

void Passphrase::erase() {
    crypto::erase({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()});
    text_.clear();
}

std::optional<Passphrase> read_passphrase(std::optional<int> descriptor, AskFor what) {
    if (descriptor) return read_line(*descriptor);
    const char* file = std::getenv("LEITHER_PASSPHRASE_FILE");
    if (file != nullptr && *file != '\0') return read_file(file);
    if (::isatty(STDIN_FILENO) != 1) return std::nullopt;
    const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    if (terminal.get() < 0) return std::nullopt;
    if (what == AskFor::the_passphrase) return ask(terminal.get(), "Passphrase of the wallet");
    auto first = ask(terminal.get(), "New passphrase of the wallet");
    const auto again = ask(terminal.get(), "The same again");
    if (first.view() != again.view()) refuse("The two are not the same.", "Try again.");
    return first;
}

}  // namespace leither::app
