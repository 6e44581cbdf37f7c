/// A serialized message whose fields are read by their numbers, without a descriptor of its type.
package struct RawMessage: Sendable {
  private let name: String
  private var values: [UInt64: [[UInt8]]] = [:]

  /// Reads the fields of a message.
  ///
  /// - Parameters:
  ///   - bytes: The serialized message.
  ///   - name: The full name of its type, for errors.
  /// - Throws: ``ProtobufError/malformed(message:)``.
  package init(serialized bytes: [UInt8], name: String) throws(ProtobufError) {
    self.name = name
    let isWhole = unsafe bytes.withUnsafeBytes { bytes in
      var reader = unsafe WireReader(bytes)
      while true {
        switch reader.next() {
        case .record(let record):
          unsafe values[record.tag >> 3, default: []].append([UInt8](record.payload))
        case .end: return true
        case .malformed: return false
        }
      }
    }
    guard isWhole else { throw .malformed(message: name) }
  }

  /// Returns the elements of a field of type `bytes`, in order.
  package func bytes(_ number: UInt64) -> [[UInt8]] { values[number] ?? [] }

  /// Returns the elements of a field of type `string`, in order.
  package func strings(_ number: UInt64) -> [String] {
    bytes(number).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Returns the value of a singular field of type `string`, by default the empty string.
  package func string(_ number: UInt64) -> String { strings(number).last ?? "" }

  /// Returns the value of a singular field of type `int32`, by default 0.
  package func int32(_ number: UInt64) -> Int32 {
    var value: UInt64 = 0
    for (index, byte) in (bytes(number).last ?? []).enumerated() {
      value |= UInt64(byte & 0x7F) << (7 * UInt64(index))
    }
    return Int32(truncatingIfNeeded: value)
  }

  /// Returns the elements of a field of a message type, in order.
  ///
  /// - Throws: ``ProtobufError/malformed(message:)``.
  package func messages(_ number: UInt64) throws(ProtobufError) -> [RawMessage] {
    var messages: [RawMessage] = []
    for bytes in bytes(number) { messages.append(try RawMessage(serialized: bytes, name: name)) }
    return messages
  }
}
