public import ArgumentParser
public import FoundationEssentials
internal import MockupClient

extension UUID: @retroactive ExpressibleByArgument {
  /// Parses a UUID in its form of 36 characters; `nil` for any other text.
  public init?(argument: String) {
    self.init(wireText: argument)
  }
}
