//! Code that the programs share.

// Generated from proto/mockups/v1 by scripts/interop.
pub mod credits;
pub mod mockups;
pub mod scenes;

use protobuf::Message;

/// Encodes a message.
pub fn serialized(message: &impl Message) -> Vec<u8> {
    message.write_to_bytes().expect("a message without required fields")
}
