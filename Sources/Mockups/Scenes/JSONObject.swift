/// A JSON object whose values are kept as the text they came in: no number is rounded, nothing that
/// this program does not know is lost.
public struct JSONObject: Sendable, Hashable {
  /// One name and its value, the value being JSON text.
  public struct Member: Sendable, Hashable {
    public var name: String
    public var value: String

    /// - Parameter value: JSON, unchecked.
    init(name: String, value: String) {
      self.name = name
      self.value = value
    }

    /// Names are compared as JSON does, character by character: to Swift, an é of one character
    /// and an é of two are the same.
    func isNamed(_ name: String) -> Bool { self.name.utf8.elementsEqual(name.utf8) }
  }

  /// No name stands twice.
  public private(set) var members: [Member]

  /// An object without members.
  public init() {
    members = []
  }

  /// Reads an object. Of members with one name the last counts, as in `jsonb`.
  ///
  /// - Returns: `nil` for a text that is no JSON, or no object, or nested deeper than
  ///   ``JSONScanner/maximumDepth``.
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

  /// The JSON text under a name.
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

  public var isEmpty: Bool { members.isEmpty }

  /// The object as JSON.
  public var text: String {
    let members = members.map { JSONScanner.quoted($0.name) + ":" + $0.value }
    return "{" + members.joined(separator: ",") + "}"
  }
}
