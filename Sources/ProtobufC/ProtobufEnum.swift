/// An enum of a `.proto` file.
///
/// Enums are open: a number that the schema does not name becomes `unrecognized`, and is preserved
/// when the message is serialized again.
public protocol ProtobufEnum: Sendable, Hashable {
  /// Creates the value of an absent field, which has the number zero.
  init()
  /// Creates the value with a number: `unrecognized` only if the schema does not name the number.
  init(rawValue: Int32)
  /// The number of the value on the wire.
  var rawValue: Int32 { get }
}
