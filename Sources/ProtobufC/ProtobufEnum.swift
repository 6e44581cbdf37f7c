/// A generated enum of a `.proto` file.
///
/// Enums are open: a number that the schema does not name becomes `unrecognized`, and is kept when
/// the message is serialized again.
public protocol ProtobufEnum: Sendable, Hashable {
  /// The value of a field that is absent: the one with number zero.
  init()
  /// The value with this number; never `unrecognized` where the schema names the number.
  init(rawValue: Int32)
  /// The number on the wire.
  var rawValue: Int32 { get }
}
