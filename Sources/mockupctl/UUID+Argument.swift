public import ArgumentParser
public import FoundationEssentials
internal import MockupClient

extension UUID: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    self.init(wireText: argument)
  }
}
