import TTRPC

/// The service of `Proto/service.proto`, implemented with this library.
struct ConformanceService: pHandler {
  let calls: CallRegistry

  private struct ConfidentialError: Error {
    let secret = "password"
  }

  func echo(_ request: Number, context: ServerContext) async throws -> Number {
    Number(value: request.value &+ 1)
  }

  func fail(_ request: Number, context: ServerContext) async throws -> Number {
    throw ConfidentialError()
  }

  func refuse(_ request: Number, context: ServerContext) async throws -> Number {
    throw RPCError(
      code: .failedPrecondition, message: "no",
      details: [.other(typeURL: "type.example/p.Why", value: [1])])
  }

  func large(_ request: Number, context: ServerContext) async throws -> Blob {
    Blob(data: [UInt8](repeating: 0x78, count: Int(min(max(request.value, 0), 16_777_216))))
  }

  func metadata(_ request: Number, context: ServerContext) async throws -> Blob {
    Blob(data: Array(context.metadata.values(for: "v").joined(separator: ",").utf8))
  }

  func hold(_ request: Number, context: ServerContext) async throws -> Number {
    try await calls.waitForRelease(request.value)
    return request
  }

  func release(_ request: Number, context: ServerContext) async throws -> Number {
    calls.release(request.value)
    return request
  }

  func running(_ request: Number, context: ServerContext) async throws -> Number {
    Number(value: calls.running(request.value))
  }

  func many(
    _ request: Number, responses: ResponseWriter<Number>, context: ServerContext
  ) async throws {
    for number in 0..<max(request.value, 1) {
      try await responses.write(Number(value: number + 1))
    }
  }

  func boom(
    _ request: Number, responses: ResponseWriter<Number>, context: ServerContext
  ) async throws {
    try await responses.write(Number(value: 1))
    throw RPCError(code: .unknown, message: "boom")
  }

  func watch(
    _ request: Number, responses: ResponseWriter<Number>, context: ServerContext
  ) async throws {
    try await responses.write(Number(value: 1))
    try await Task.sleep(for: .seconds(600))
  }

  func sum(_ requests: MessageStream<Number>, context: ServerContext) async throws -> Number {
    var count: Int64 = 0
    for try await _ in requests { count += 1 }
    return Number(value: count)
  }

  func first(_ requests: MessageStream<Number>, context: ServerContext) async throws -> Number {
    try await requests.next() ?? Number()
  }

  func bidi(
    _ requests: MessageStream<Number>, responses: ResponseWriter<Number>, context: ServerContext
  ) async throws {
    for try await request in requests {
      try await responses.write(Number(value: request.value &+ 1))
    }
  }

  func stall(
    _ requests: MessageStream<Blob>, responses: ResponseWriter<Blob>, context: ServerContext
  ) async throws {
    try await calls.waitForRelease(context.metadata["k"].flatMap { Int64($0) } ?? 0)
    for try await request in requests { try await responses.write(request) }
  }
}
