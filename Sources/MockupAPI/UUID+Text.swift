public import FoundationEssentials

extension UUID {
  /// The 36 characters by which ids travel, in lower case.
  public var wireText: String { uuidString.lowercased() }
}
