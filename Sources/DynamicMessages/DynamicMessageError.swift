/// An error about a schema, a name, a JSON text or a message.
public struct DynamicMessageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of an error.
  public enum Code: Sendable {
    /// The descriptors contradict themselves, or something is missing among them.
    case schema
    /// There is no such service, method or type.
    case notFound
    /// The text is not JSON.
    case json
    /// The JSON does not fit the message.
    case value
    /// The bytes are no message, or none of this type.
    case bytes
  }

  /// The kind of the error.
  public let code: Code

  /// The path of the field, such as `items[2].labels["k"]`; empty for the whole message.
  public let path: String

  /// The description for a person, without the path.
  public let message: String

  /// The path and the message.
  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// The path of a field in a message.
struct FieldPath {
  var text = ""

  func field(_ name: String) -> FieldPath {
    FieldPath(text: text.isEmpty ? name : "\(text).\(name)")
  }
  func element(_ index: Int) -> FieldPath { FieldPath(text: "\(text)[\(index)]") }
  func key(_ key: String) -> FieldPath {
    FieldPath(text: "\(text)[\(JSONValue.string(key).text())]")
  }

  func error(_ code: DynamicMessageError.Code, _ message: String) -> DynamicMessageError {
    DynamicMessageError(code: code, path: text, message: message)
  }
}

extension DynamicMessageError {
  /// The maximum nesting of messages or JSON values, which is that of other implementations.
  static let depthLimit = 100
}
