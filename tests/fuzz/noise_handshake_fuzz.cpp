// A stranger's bytes as any message of a handshake, to either side, in both patterns: nothing but
// the message the other side wrote is ever accepted.
#include <algorithm>

#include "support/noise_pair.h"

namespace {

using namespace leither;

// What is done with the input after its first byte.
enum class Mode : std::uint8_t { send, alter, carry };

Bytes altered(Bytes message, ByteView edits) {
    for (; edits.size() >= 3; edits = edits.subspan(3)) {
        const std::size_t at = (std::size_t{edits[0]} * 256 + edits[1]) % message.size();
        message[at] = static_cast<std::uint8_t>(message[at] ^ edits[2]);
    }
    if (!edits.empty()) message.resize(std::min<std::size_t>(message.size(), edits[0]));
    return message;
}

Bytes message_of(Mode mode, const Bytes& genuine, ByteView input) {
    switch (mode) {
        case Mode::send: return Bytes(input.begin(), input.end());
        case Mode::alter: return altered(genuine, input);
        case Mode::carry: return genuine;
    }
    UNREACHABLE();
}

// The first message of XX is in the clear; a difference shows in the answer.
void check_answer_differs(testing::NoisePair& pair) {
    const auto answer = pair.responder.write({});
    if (!answer) {
        CHECK(answer.error() == noise::HandshakeError::bad_key);
        return;
    }
    CHECK(!pair.initiator.read(*answer));
}

void run(const noise::Pattern& pattern, std::size_t step, Mode mode, ByteView input) {
    testing::NoisePair pair(pattern);
    pair.run(step);
    const bool to_responder = step % 2 == 0;
    noise::Handshake& writer = to_responder ? pair.initiator : pair.responder;
    noise::Handshake& reader = to_responder ? pair.responder : pair.initiator;
    const Bytes payload = mode == Mode::carry ? Bytes(input.begin(), input.end()) : Bytes();
    const Bytes genuine = writer.write(payload).value();
    const Bytes message = message_of(mode, genuine, input);
    const auto read = reader.read(message);
    if (message == genuine) {
        CHECK(read && *read == payload && reader.hash() == writer.hash());
    } else if (read) {
        CHECK(&pattern == &noise::kXX && step == 0);
        check_answer_differs(pair);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kPayloadMax = 60'000;
    if (size == 0 || size > kPayloadMax) return 0;
    const std::uint8_t choice = data[0];
    run(choice % 2 == 0 ? noise::kXX : noise::kXK, choice / 2 % 3,
        static_cast<Mode>(choice / 6 % 3), {data + 1, size - 1});
    return 0;
}
