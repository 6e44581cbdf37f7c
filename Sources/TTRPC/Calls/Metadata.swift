/// The metadata of a request: key-value pairs, in which a key can have several values.
///
/// Keys are stored and sent in lower case, and lookups ignore case.
public struct Metadata: Sendable, Hashable {
  private var pairs: [Pair]

  private struct Pair: Sendable, Hashable {
    var key: String
    var value: String
  }

  /// Creates empty metadata.
  public init() {
    pairs = []
  }

  /// A Boolean value that indicates whether there are no pairs.
  public var isEmpty: Bool { pairs.isEmpty }

  /// The first value of a key, or nil if the key is missing; setting it replaces all values.
  public subscript(_ key: String) -> String? {
    get {
      let key = key.lowercased()
      return pairs.first { $0.key == key }?.value
    }
    set {
      let lowered = key.lowercased()
      pairs.removeAll { $0.key == lowered }
      if let newValue { pairs.append(Pair(key: lowered, value: newValue)) }
    }
  }

  /// Returns all values of a key, in the order in which they were added or received.
  public func values(for key: String) -> [String] {
    let key = key.lowercased()
    return pairs.filter { $0.key == key }.map(\.value)
  }

  /// Adds a value to a key and keeps the key's other values.
  public mutating func append(_ value: String, for key: String) {
    pairs.append(Pair(key: key.lowercased(), value: value))
  }
}

extension Metadata: ExpressibleByDictionaryLiteral {
  /// Creates metadata from a literal, in which a key may occur several times.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init()
    for (key, value) in elements { append(value, for: key) }
  }
}

extension Metadata: Sequence {
  /// Returns an iterator over all pairs, in the order in which they were added or received.
  public func makeIterator() -> some IteratorProtocol<(key: String, value: String)> {
    pairs.lazy.map { (key: $0.key, value: $0.value) }.makeIterator()
  }
}
