// Where the wallet's passphrase comes from: the descriptor of --passphrase-fd, else the file that
// LEITHER_PASSPHRASE_FILE names, else the terminal, where it is not shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leither::app {

// A text that is erased when it dies.
class Passphrase {
 public:
    explicit Passphrase(std::string text) : text_(std::move(text)) {}
    Passphrase(Passphrase&& other) noexcept : text_(other.text_) { other.erase(); }
    Passphrase& operator=(Passphrase&&) = delete;
    ~Passphrase() { erase(); }

    std::string_view view() const { return text_; }

 private:
    void erase();
    std::string text_;
};

enum class AskFor : std::uint8_t {
    the_passphrase,    // that the wallet has
    a_new_passphrase,  // a terminal asks for it twice
};
// Nothing if there is no source at all: no descriptor, no file, no terminal. Throws CliError if the
// source gives none, or two different ones.
std::optional<Passphrase> read_passphrase(std::optional<int> descriptor, AskFor what);

}  // namespace leither::app
