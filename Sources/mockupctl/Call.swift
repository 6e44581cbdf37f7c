internal import ArgumentParser
internal import DynamicMessages
internal import StandardStreams
internal import TTRPC

struct Call: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Call any method of the server, with requests and responses as JSON.",
    discussion: """
      What there is to call, 'mockupctl describe' lists; the server says it by its reflection.

      Requests are JSON objects by proto3's mapping, one in each argument. Without any, or for '-', \
      they come from standard input, one behind another or one on each line. A method that takes a \
      stream gets each as soon as it is complete, and answers may come before the input ends. A \
      method that takes one request gets it when the input has ended; an empty input is {}, and \
      so is a terminal that no '-' says to read.

      Responses are printed as they come: for people, on a terminal, over several lines; otherwise \
      one on each line. A call that fails is told on standard error, with its status code, its \
      message and what the server says of fields and of when to try again.
      """)

  @Argument(help: "The method, as SERVICE/METHOD; the package may be left out where that is clear.")
  var method: String

  @Argument(help: "The requests, or - for standard input.")
  var json: [String] = []

  @Option(
    name: [.customShort("H"), .customLong("metadata")],
    help: ArgumentHelp(
      "What travels beside the call; any number of times.", valueName: "key=value"))
  var metadata: [MetadataPair] = []

  @Flag(help: "One response on each line, or over several. (default: over several on a terminal)")
  var layout: Layout?

  @Flag(help: "Show fields that have their defaults, too.")
  var defaults = false

  @Flag(help: "Fields by their names in the proto, not in lowerCamelCase.")
  var protoNames = false

  @Option(
    parsing: .unconditional,
    help: "Seconds until the call must have ended. (default: 10; streams: without end)")
  var timeout: Seconds?

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard json.count <= 1 || !json.contains("-") else {
      throw ValidationError("requests are arguments or standard input (-), not both")
    }
  }

  func run() async throws {
    try await server.withClient { client in
      let schema = try await Schema.ofServer(client, timeout: (timeout ?? .forOneAnswer).duration)
      let method = try schema.method(method)
      let requests = try await requests(of: method)
      do {
        try await client.call(
          MethodDescriptor(method), serialized: requests, options: options(of: method)
        ) { response in
          let json = try method.output.json(
            fromBinary: response,
            JSONOptions(showsDefaults: defaults, usesProtoNames: protoNames))
          try await StandardOutput.write(line: json.text(pretty: isPretty))
        }
      } catch let error as RPCError {
        throw CommandError(error, schema: schema)
      }
    }
  }

  private var isPretty: Bool { layout.map { $0 == .pretty } ?? StandardOutput.isTerminal }

  private func options(of method: RPCMethod) -> CallOptions {
    let isStream = method.isClientStreaming || method.isServerStreaming
    var options = CallOptions(timeout: (timeout ?? (isStream ? nil : .forOneAnswer))?.duration)
    for pair in metadata { options.metadata.append(pair.value, for: pair.key) }
    return options
  }

  private func requests(
    of method: RPCMethod
  ) async throws -> any AsyncSequence<[UInt8], any Error> & Sendable {
    let isFromInput =
      json == ["-"] || json.isEmpty && (method.isClientStreaming || !StandardInput.isTerminal)
    let input = isFromInput ? Requests(type: method.input, pieces: StandardInput()) : nil
    if method.isClientStreaming, let input { return input }
    var requests: [[UInt8]] = []
    if let input {
      // All of it: what cannot be sent is to be known before anything is.
      for try await request in input {
        requests.append(request)
        if requests.count > 1 { break }
      }
    } else {
      requests = try method.input.requests(from: json)
    }
    guard method.isClientStreaming || requests.count <= 1 else {
      throw CommandError(
        "\(method.fullName) takes one request, and there are more", exitCode: CommandError.usage)
    }
    return AsyncThrowingStream { [requests] stream in
      for request in requests { stream.yield(request) }
      stream.finish()
    }
  }
}

/// How a response is written.
enum Layout: String, EnumerableFlag {
  case compact
  case pretty
}

/// `KEY=VALUE`.
struct MetadataPair: ExpressibleByArgument {
  let key: String
  let value: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let key = parts.first, !key.isEmpty, let value = parts.last else {
      return nil
    }
    self.key = String(key)
    self.value = String(value)
  }
}

extension MethodDescriptor {
  fileprivate init(_ method: RPCMethod) {
    let shape: CallShape =
      switch (method.isClientStreaming, method.isServerStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    self.init(
      service: method.service, name: method.name, shape: shape, isIdempotent: method.isIdempotent)
  }
}
