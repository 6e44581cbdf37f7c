/// A JSON object that keeps its values as JSON text.
///
/// So no number is rounded, and values that this program does not know are preserved.
public struct JSONObject: Sendable, Hashable {
  /// A name and its value.
  public struct Member: Sendable, Hashable {
    /// The name, with its escapes decoded.
    public var name: String
    /// The value as JSON text.
    public var value: String

    /// Creates a member.
    ///
    /// - Parameter value: JSON text, which is not checked.
    init(name: String, value: String) {
      self.name = name
      self.value = value
    }

    /// Returns a Boolean value that indicates whether the member's name has the same bytes as
    /// `name`.
    ///
    /// JSON compares names this way. Swift's comparison of strings ignores differences in Unicode
    /// normalization.
    func isNamed(_ name: String) -> Bool { self.name.utf8.elementsEqual(name.utf8) }
  }

  /// The members in their order, each name once.
  public private(set) var members: [Member]

  /// Creates an object without members.
  public init() {
    members = []
  }

  /// Parses a JSON object.
  ///
  /// If several members have the same name, the last one is used, as in `jsonb`.
  ///
  /// - Returns: nil if the text is not JSON, is not an object, or is nested deeper than 64 levels.
  public init?(text: String) {
    var scanner = JSONScanner(text)
    guard let found = scanner.objectAlone() else { return nil }
    members = []
    var indexes: [[UInt8]: Int] = [:]
    for member in found {
      guard let name = JSONScanner.string(member.name) else { return nil }
      if let index = indexes.updateValue(members.count, forKey: Array(name.utf8)) {
        members[index].value = member.value
        indexes[Array(name.utf8)] = index
      } else {
        members.append(Member(name: name, value: member.value))
      }
    }
  }

  /// The value of a member as JSON text, or nil if there is no member with the name.
  public subscript(name: String) -> String? {
    get { members.first { $0.isNamed(name) }?.value }
    set {
      let index = members.firstIndex { $0.isNamed(name) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// A Boolean value that indicates whether the object has no members.
  public var isEmpty: Bool { members.isEmpty }

  /// The object as JSON text.
  public var text: String {
    let members = members.map { JSONScanner.quoted($0.name) + ":" + $0.value }
    return "{" + members.joined(separator: ",") + "}"
  }
}
