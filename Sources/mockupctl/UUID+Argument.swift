public import ArgumentParser
public import FoundationEssentials

extension UUID: @retroactive ExpressibleByArgument {
  public init?(argument: String) {
    self.init(uuidString: argument)
  }
}
