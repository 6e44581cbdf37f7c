/// What travels beside a request: keys and values, a key as often as it has values.
///
/// Keys are kept in lower case, as they are sent, and matched without regard to case.
public struct Metadata: Sendable, Hashable {
  private var pairs: [Pair]

  private struct Pair: Sendable, Hashable {
    var key: String
    var value: String
  }

  public init() {
    pairs = []
  }

  /// The first value of a key; setting it replaces all of them.
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

  /// Every value of a key, in the order in which they were sent.
  public func values(for key: String) -> [String] {
    let key = key.lowercased()
    return pairs.filter { $0.key == key }.map(\.value)
  }

  /// Adds a value to those that a key has.
  public mutating func append(_ value: String, for key: String) {
    pairs.append(Pair(key: key.lowercased(), value: value))
  }
}

extension Metadata: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init()
    for (key, value) in elements { append(value, for: key) }
  }
}

extension Metadata: Sequence {
  public func makeIterator() -> some IteratorProtocol<(key: String, value: String)> {
    pairs.lazy.map { (key: $0.key, value: $0.value) }.makeIterator()
  }
}
