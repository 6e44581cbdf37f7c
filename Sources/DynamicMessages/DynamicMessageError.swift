/// What is wrong with a schema, a name, a JSON text or a message, in words for a person.
public struct DynamicMessageError: Error, Sendable, Equatable, CustomStringConvertible {
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

  public let code: Code

  /// Which field it is about, as `items[2].labels["k"]`; empty for the whole.
  public let path: String

  public let message: String

  public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// Where in a message something stands.
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
  /// How many messages or JSON values may stand in one another: as many as other implementations read.
  static let depthLimit = 100
}
