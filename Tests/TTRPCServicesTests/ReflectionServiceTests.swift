import ProtobufC
import SwiftProtobuf
import TTRPC
import Testing

@testable import TTRPCServices

/// The reflection service, tested with a client.
@Suite(.timeLimit(.minutes(15))) struct ReflectionServiceTests {
  private typealias Question = ServerReflectionRequest.MessageRequest
  private typealias Answer = ServerReflectionResponse.MessageResponse

  /// Two descriptor sets.
  ///
  /// In the first one, `a.proto` imports `b.proto` and `c.proto`, which both import `d.proto`.
  private static let sets: [Google_Protobuf_FileDescriptorSet] = [
    .with {
      $0.file = [
        .with {
          $0.name = "d.proto"
          $0.messageType = [.with { $0.name = "Bare" }]
        },
        .with {
          $0.name = "b.proto"
          $0.package = "p"
          $0.dependency = ["d.proto"]
        },
        .with {
          $0.name = "c.proto"
          $0.package = "p"
          $0.dependency = ["d.proto", "absent.proto"]
        },
        .with {
          $0.name = "a.proto"
          $0.package = "p"
          $0.dependency = ["b.proto", "c.proto"]
          $0.messageType = [
            .with {
              $0.name = "Outer"
              $0.nestedType = [.with { $0.name = "Inner" }]
              $0.extension = [extensionField("inside", number: 8)]
            },
            .with { $0.name = "Extended" },
          ]
        },
      ]
    },
    .with {
      $0.file = [
        .with {
          $0.name = "e.proto"
          $0.package = "q"
          $0.extension = [extensionField("outside", number: 7)]
        }
      ]
    },
  ]

  /// An extension of `p.Extended`.
  private static func extensionField(
    _ name: String, number: Int32
  ) -> Google_Protobuf_FieldDescriptorProto {
    .with {
      $0.name = name
      $0.extendee = ".p.Extended"
      $0.number = number
    }
  }

  /// Sends questions on one stream, and returns the server's answers.
  private static func answers(to questions: [Question?]) async throws -> [Answer?] {
    let health = HealthService()
    let reflection = try ReflectionService(
      services: [health], descriptorSets: try sets.map { try $0.serializedBytes() })
    var answers: [Answer?] = []
    try await withServer(of: [health] + reflection.versions) { client, _ in
      answers = try await ServerReflectionClient(client).serverReflectionInfo {
        requests, responses in
        var received: [Answer?] = []
        for question in questions {
          let request = ServerReflectionRequest(host: "here", messageRequest: question)
          try await requests.write(request)
          let response = try #require(try await responses.next())
          #expect(response.validHost == "here")
          #expect(response.originalRequest == request)
          received.append(response.messageResponse)
        }
        try await requests.finish()
        #expect(try await responses.next() == nil)
        return received
      }
    }
    return answers
  }

  /// The names of the files in an answer.
  private static func files(_ answer: Answer?) throws -> [String] {
    guard case .fileDescriptorResponse(let response) = answer else {
      Issue.record("expected files, received \(String(describing: answer))")
      return []
    }
    return try response.fileDescriptorProto.map {
      try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name
    }
  }

  @Test func `the list contains the services of the server`() async throws {
    let answers = try await Self.answers(to: [.listServices("*")])
    let names = [
      "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]
    #expect(
      answers == [
        .listServicesResponse(
          ListServiceResponse(service: names.map { ServiceResponse(name: $0) }))
      ])
  }

  static let symbols: [(symbol: String, file: String)] = [
    ("grpc.health.v1.Health", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse.status", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse.NOT_SERVING", "grpc/health/v1/health.proto"),
    (
      "grpc.reflection.v1.ServerReflectionRequest.message_request",
      "grpc/reflection/v1/reflection.proto"
    ),
    (
      "grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo",
      "grpc/reflection/v1alpha/reflection.proto"
    ),
    ("q.outside", "e.proto"),
    ("Bare", "d.proto"),
  ]

  @Test(arguments: symbols)
  func `a symbol is found in its file`(_ symbol: String, _ file: String) async throws {
    let answers = try await Self.answers(to: [.fileContainingSymbol(symbol)])
    #expect(try answers.map { try Self.files($0).first } == [file])
  }

  @Test func `the service answers under its former name`() async throws {
    let reflection = try ReflectionService(services: [], descriptorSets: [])
    let former = "grpc.reflection.v1alpha.ServerReflection"
    let method = MethodDescriptor(
      service: former, name: "ServerReflectionInfo", shape: .bidirectional)
    try await withServer(of: reflection.versions) { client, _ in
      let answer = try await client.bidirectional(method) {
        (
          requests: RequestWriter<ServerReflectionRequest>,
          responses: MessageStream<ServerReflectionResponse>
        ) in
        try await requests.write(
          ServerReflectionRequest(messageRequest: .fileContainingSymbol(former)))
        return try await responses.next()?.messageResponse
      }
      #expect(
        try Self.files(answer) == [
          "grpc/reflection/v1alpha/reflection.proto", "grpc/reflection/v1/reflection.proto",
        ])
    }
  }

  @Test func `a file is returned with each of its imports once`() async throws {
    let answers = try await Self.answers(
      to: [
        .fileByFilename("a.proto"), .fileContainingSymbol("p.Outer.Inner"),
        .fileByFilename("b.proto"),
      ])
    let all = ["a.proto", "b.proto", "c.proto", "d.proto"]
    #expect(try answers.map(Self.files) == [all, all, ["b.proto", "d.proto"]])
  }

  @Test func `extensions are found by the type that they extend`() async throws {
    let answers = try await Self.answers(
      to: [
        .fileContainingExtension(
          ExtensionRequest(containingType: "p.Extended", extensionNumber: 7)),
        .allExtensionNumbersOfType("p.Extended"), .allExtensionNumbersOfType("p.Outer"),
      ])
    #expect(try Self.files(answers[0]) == ["e.proto"])
    #expect(
      Array(answers[1...]) == [
        .allExtensionNumbersResponse(
          ExtensionNumberResponse(baseTypeName: "p.Extended", extensionNumber: [7, 8])),
        .allExtensionNumbersResponse(
          ExtensionNumberResponse(baseTypeName: "p.Outer", extensionNumber: [])),
      ])
  }

  @Test func `a failed request gets an error response, and the stream goes on`() async throws {
    let answers = try await Self.answers(
      to: [
        .fileByFilename("nowhere.proto"), .fileContainingSymbol("p.Nothing"),
        .fileContainingExtension(
          ExtensionRequest(containingType: "p.Extended", extensionNumber: 9)),
        .allExtensionNumbersOfType("p.Nothing"), nil, .fileByFilename("d.proto"),
      ])
    let codes = answers.map { answer -> StatusCode? in
      guard case .errorResponse(let response) = answer else { return nil }
      return StatusCode(rawValue: response.errorCode)
    }
    #expect(codes == [.notFound, .notFound, .notFound, .notFound, .invalidArgument, nil])
  }

  @Test func `a malformed descriptor set is refused`() {
    #expect(throws: ProtobufError.self) {
      try ReflectionService(services: [], descriptorSets: [[0x0A, 0xFF]])
    }
  }

  @Test func `an open stream does not delay a drain`() async throws {
    try await withServer(of: [try ReflectionService(services: [], descriptorSets: [])]) {
      client, server in
      let error = await #expect(throws: RPCError.self) {
        try await ServerReflectionClient(client).serverReflectionInfo { requests, responses in
          try await requests.write(ServerReflectionRequest(messageRequest: .listServices("")))
          _ = try await responses.next()
          server.drain()
          _ = try await responses.next()
        }
      }
      #expect(error?.code == .unavailable)
    }
  }
}
