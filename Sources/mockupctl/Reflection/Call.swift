internal import ArgumentParser
internal import DynamicMessages
internal import StandardStreams
internal import TTRPC

struct Call: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Call any method of the server with requests and responses in JSON.",
    discussion: """
      'mockupctl describe' lists the methods. The server reports them by reflection.

      Requests are JSON objects in the JSON mapping of proto3, one in each argument. Without \
      arguments, or with '-', they are read from standard input, one after another or one on each \
      line. A method that takes a stream of requests receives each as soon as it is complete, and \
      responses can arrive before the input ends. A method that takes a single request receives it \
      when the input has ended; empty input means {}. For such a method a terminal is read only \
      with '-', and without it the request is {}.

      Responses are printed as they arrive, on a terminal over several lines each, otherwise one \
      on each line. If the call fails, standard error has its status code, its message, and the \
      server's details about fields and retries.
      """)

  @Argument(help: "The method, as SERVICE/METHOD; the package can be omitted if it is unambiguous.")
  var method: String

  @Argument(help: "The requests, or - to read them from standard input.")
  var json: [String] = []

  @Option(
    name: [.customShort("H"), .customLong("metadata")],
    help: ArgumentHelp(
      "Metadata to send with the call; can be repeated.", valueName: "key=value"))
  var metadata: [MetadataPair] = []

  @Flag(help: "Print a response on one line, or over several. (default: several on a terminal)")
  var layout: Layout?

  @Flag(help: "Show fields that have their default value, too.")
  var defaults = false

  @Flag(help: "Show field names as in the .proto file, not in lowerCamelCase.")
  var protoNames = false

  @Option(
    parsing: .unconditional,
    help: "Time limit of the call in seconds. (default: 10; for streams: none)")
  var timeout: Seconds?

  @OptionGroup var server: ServerAddress

  func validate() throws {
    guard json.count <= 1 || !json.contains("-") else {
      throw ValidationError("requests cannot be given both as arguments and by - (standard input)")
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
      // Reads the input to its end, so that an invalid request is reported before the call begins.
      for try await request in input {
        requests.append(request)
        if requests.count > 1 { break }
      }
    } else {
      requests = try method.input.requests(from: json)
    }
    guard method.isClientStreaming || requests.count <= 1 else {
      throw CommandError(
        "\(method.fullName) takes a single request, not several",
        exitCode: CommandError.usage)
    }
    return AsyncThrowingStream { [requests] stream in
      for request in requests { stream.yield(request) }
      stream.finish()
    }
  }
}

/// The layout of a response.
enum Layout: String, EnumerableFlag {
  case compact
  case pretty
}

/// A `KEY=VALUE` argument: metadata to send with a call.
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
