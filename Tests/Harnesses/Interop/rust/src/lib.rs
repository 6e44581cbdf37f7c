//! Code that the client and the server share.

/// Generated from proto/mockups/v1/credits.proto by scripts/interop.
pub mod credits;

use protobuf::Message;

/// Encodes a message.
pub fn serialized(message: &impl Message) -> Vec<u8> {
    message.write_to_bytes().expect("a message without required fields")
}
