internal import ArgumentParser
internal import StandardStreams
internal import TTRPC
internal import TTRPCServices

struct Health: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check whether the server, or one of its services, is serving.",
    discussion: """
      Prints SERVING and exits with 0, or prints another status and exits with 69. A service that \
      the server does not know is an error; with --watch its status is SERVICE_UNKNOWN.
      """)

  @Argument(help: "The service's full name. (default: the server as a whole)")
  var service: String?

  @Flag(help: "Print the status now and whenever it changes, until interrupted.")
  var watch = false

  @Option(
    parsing: .unconditional,
    help: "Time limit of the call in seconds. (default: 10; with --watch: none)")
  var timeout: Seconds?

  @OptionGroup var server: ServerAddress

  func run() async throws {
    try await server.withClient { client in
      let health = HealthClient(client)
      let request = HealthCheckRequest(service: service ?? "")
      guard watch else {
        let options = CallOptions(timeout: (timeout ?? .forOneAnswer).duration)
        let status = try await health.check(request, options: options).status
        try await StandardOutput.write(line: status.name)
        guard status == .serving else { throw ExitCode(69) }
        return
      }
      try await health.watch(request, options: CallOptions(timeout: timeout?.duration)) {
        responses in
        for try await response in responses {
          try await StandardOutput.write(line: response.status.name)
        }
      }
    }
  }
}

extension HealthCheckResponse.ServingStatus {
  /// The name in the .proto file.
  fileprivate var name: String {
    switch self {
    case .unknown: "UNKNOWN"
    case .serving: "SERVING"
    case .notServing: "NOT_SERVING"
    case .serviceUnknown: "SERVICE_UNKNOWN"
    case .unrecognized(let number): "\(number)"
    }
  }
}
