internal import ArgumentParser

/// A protocol of calls.
enum WireProtocol: String, CaseIterable, ExpressibleByArgument {
  case ttrpc, grpc
}
