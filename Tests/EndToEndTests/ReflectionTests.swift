import Foundation
import MockupClient
import TTRPCServices
import TestSupport
import Testing

/// The reflection of mockupd, from which tools such as grpcurl learn the services and messages.
@Suite struct ReflectionTests {
  private typealias Question = ServerReflectionRequest.MessageRequest
  private typealias Answer = ServerReflectionResponse.MessageResponse

  private static let services = [
    "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection", "mockups.v1.AdminService",
    "mockups.v1.CreditService", "mockups.v1.MockupService", "mockups.v1.SceneService",
  ]

  /// Sends questions on one stream of the reflection service with the given name.
  private static func answers(
    to questions: [Question], of service: String, at socket: String
  ) async throws -> [Answer] {
    let client = Client(path: socket)
    let method = MethodDescriptor(
      service: service, name: "ServerReflectionInfo", shape: .bidirectional)
    let answers = try await client.bidirectional(method) {
      (
        requests: RequestWriter<ServerReflectionRequest>,
        responses: MessageStream<ServerReflectionResponse>
      ) in
      var answers: [Answer] = []
      for question in questions {
        try await requests.write(ServerReflectionRequest(messageRequest: question))
        answers.append(try #require(try await responses.next()?.messageResponse))
      }
      try await requests.finish()
      return answers
    }
    await client.close()
    return answers
  }

  @Test(arguments: [
    "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
  ])
  func `every service is listed and described with its comments`(_ name: String) async throws {
    try await MigratedDatabase.with { database in
      try await database.withServer { server in
        let questions = Self.services.map { Question.fileContainingSymbol($0) }
        let answers = try await Self.answers(
          to: [.listServices("")] + questions
            + [
              .fileContainingSymbol("mockups.v1.CreditService.GetReservation"),
              .fileContainingSymbol("mockups.v1.ReserveMode"),
              .fileContainingSymbol("google.protobuf.Timestamp"), .fileByFilename("no"),
            ],
          of: name, at: server.socket)
        guard case .listServicesResponse(let list) = answers[0] else {
          Issue.record("expected a list, received \(answers[0])")
          return
        }
        #expect(list.service.map(\.name) == Self.services)
        let expected =
          Self.services.map { String($0.split(separator: ".").last ?? "") }
          + ["Returns a reservation in its current state", "RESERVE_MODE_CHECK_ONLY", "nanos"]
        for (answer, text) in zip(answers.dropFirst(), expected) {
          guard case .fileDescriptorResponse(let response) = answer else {
            Issue.record("expected the file with \(text), received \(answer)")
            continue
          }
          let file = try #require(response.fileDescriptorProto.first)
          #expect(Data(file).range(of: Data(text.utf8)) != nil, "\(text)")
        }
        #expect(
          answers.last
            == .errorResponse(ErrorResponse(errorCode: 5, errorMessage: "no matching file")))
      }
    }
  }
}
