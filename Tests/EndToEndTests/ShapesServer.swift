import Foundation
import Logging
import ProtobufC
import TTRPC
import TTRPCServices
import TestSupport
import Testing

/// A service, unknown to mockupctl, that has one method of each call type.
///
/// On the wire, its message `Word` is the same as a health check's request.
struct Shapes: TTRPC.Service {
  typealias Word = HealthCheckRequest

  static let proto = """
    syntax = "proto3";
    package shapes.test;

    // Repeats words.
    service Shapes {
      // Returns the word, with the values of the metadata key `suffix` appended.
      rpc Once(Word) returns (Word);
      // Returns each letter of the word.
      rpc Down(Word) returns (stream Word);
      // Concatenates all words.
      rpc Up(stream Word) returns (Word);
      // Returns each word; ends after "stop".
      rpc Both(stream Word) returns (stream Word);
      // Always fails.
      rpc Fail(Word) returns (Word);
    }

    message Word {
      // The characters of the word.
      string text = 1;
    }
    """

  static let serviceName = "shapes.test.Shapes"

  var methods: [TTRPC.Method] {
    [
      .unary("Once", Word.self) { word, context in
        Word(service: word.service + context.metadata.values(for: "suffix").joined())
      },
      .serverStreaming("Down", Word.self) { word, words, _ in
        for letter in word.service { try await words.write(Word(service: String(letter))) }
      },
      .clientStreaming("Up", Word.self) { words, _ in
        var text = ""
        for try await word in words { text += word.service }
        return Word(service: text)
      },
      .bidirectional("Both", Word.self) { words, answers, _ in
        for try await word in words {
          try await answers.write(word)
          if word.service == "stop" { return }
        }
      },
      .unary("Fail", Word.self) { word, _ -> Word in
        throw RPCError(
          code: .aborted, message: "no \u{1b}[31m",
          details: [
            .badRequest([FieldViolation(field: "text", description: "is \(word.service)")]),
            .retryInfo(after: .seconds(2)),
            .other(
              typeURL: "type.googleapis.com/shapes.test.Word",
              value: Word(service: "inside").serialized()),
          ])
      },
    ]
  }

  /// Runs a closure while a server offers the service, with or without reflection.
  static func serve(hasReflection: Bool = true, _ body: (String) async throws -> Void) async throws
  {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    try await withTemporaryFolder { folder in
      let shapes = Shapes()
      var services: [any TTRPC.Service] = [shapes]
      if hasReflection {
        services.append(
          try ReflectionService(services: [shapes], descriptorSets: [try descriptors(folder)]))
      }
      let server = Server(services: services, logger: logger)
      let (ready, continuation) = AsyncStream<Void>.makeStream()
      async let running: Void = server.run(on: UnixListener(path: "\(folder)/socket")) {
        continuation.finish()
      }
      for await _ in ready {}
      defer { server.drain() }
      try await body("\(folder)/socket")
      server.drain()
      try await running
    }
  }

  private static func descriptors(_ folder: String) throws -> [UInt8] {
    try proto.write(toFile: "\(folder)/shapes.proto", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "protoc", "--proto_path=\(folder)", "--include_source_info",
      "--descriptor_set_out=\(folder)/shapes.bin", "shapes.proto",
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return Array(try Data(contentsOf: URL(filePath: "\(folder)/shapes.bin")))
  }
}
