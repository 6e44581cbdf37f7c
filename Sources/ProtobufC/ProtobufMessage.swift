/// A message of a `.proto` file as a Swift value.
///
/// `scripts/generate` generates the conforming types. The requirements that use raw pointers are
/// for generated code only.
public protocol ProtobufMessage: Sendable, Hashable {
  /// Creates a message in which all fields are absent.
  init()

  /// The name of the message type with its package, such as `mockups.v1.ReserveCreditsRequest`.
  static var fullName: String { get }

  /// The descriptor of the message type, for generated code.
  static var descriptor: MessageDescriptor { get }

  /// Copies the fields of a C struct into a message without fields, for generated code.
  ///
  /// - Parameters:
  ///   - source: An unpacked C struct of this type, valid during the call.
  ///   - arena: The arena that holds the struct; it also counts the memory that is used.
  /// - Throws: ``ProtobufError``.
  mutating func load(_ source: UnsafeRawPointer, in arena: Arena) throws(ProtobufError)

  /// Copies the fields of the message into a C struct, for generated code.
  ///
  /// - Parameters:
  ///   - target: An initialized C struct of this type.
  ///   - arena: The arena for everything that the struct points to.
  func fill(_ target: UnsafeMutableRawPointer, in arena: Arena)
}
