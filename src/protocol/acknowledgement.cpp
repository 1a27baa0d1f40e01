#include "leither/protocol/acknowledgement.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

struct Content {
    Sequence sequence;
    Hash block;
    PublicKey node;
    static void fields(auto& self, auto&& visit) { visit(self.sequence, self.block, self.node); }
};

}  // namespace

Bytes signing_message(const ChainId& chain, const Acknowledgement& acknowledgement) {
    const Content content{acknowledgement.sequence, acknowledgement.block, acknowledgement.node};
    return crypto::tagged_message(tags::kAcknowledgement, chain, bcs::encode(content));
}

Acknowledgement acknowledge(const ChainId& chain, Sequence sequence, const Hash& block,
                            const crypto::KeyPair& node) {
    Acknowledgement made{sequence, block, node.public_key(), {}};
    made.signature = node.sign(signing_message(chain, made));
    return made;
}

bool is_signed(const Acknowledgement& acknowledgement, const ChainId& chain) {
    return crypto::verify(acknowledgement.node, signing_message(chain, acknowledgement),
                          acknowledgement.signature);
}

}  // namespace leither::protocol
