internal import MockupAPI
internal import ProtobufC
internal import TTRPC

/// What a call ended with.
typealias Answer<Value> = Result<Value, RPCError>

extension Peer {
  /// The answer of a method of `p` whose messages are `{1: int64}`, as a `Timestamp`'s seconds are.
  func call(
    _ method: String, _ number: Int64 = 0, service: String = "p", isIdempotent: Bool = false,
    options: CallOptions = .patient
  ) async -> Answer<Int64> {
    let method = MethodDescriptor(service: service, name: method, isIdempotent: isIdempotent)
    do throws(RPCError) {
      let answer: Timestamp = try await client.unary(
        method, Timestamp(seconds: number), options: options)
      return .success(answer.seconds)
    } catch {
      return .failure(error)
    }
  }

  /// Makes a call that runs beside others.
  func start(_ method: String, _ number: Int64) -> Task<Answer<Int64>, Never> {
    Task { await call(method, number) }
  }

  /// The answer of a method of `p`, as its bytes.
  func bytes(
    _ method: String, _ number: Int64 = 0, options: CallOptions = .patient
  ) async -> Answer<[UInt8]> {
    let request = Timestamp(seconds: number).serialized()
    let requests = AsyncStream { continuation in
      continuation.yield(request)
      continuation.finish()
    }
    var answer: [UInt8] = []
    do {
      try await client.call(
        MethodDescriptor(service: "p", name: method), serialized: requests, options: options
      ) { answer = $0 }
      return .success(answer)
    } catch {
      return .failure(error as? RPCError ?? RPCError(code: .unknown, message: "\(error)"))
    }
  }
}

extension CallOptions {
  /// As long as any call may take, from a server that has yet to start.
  static let patient = CallOptions(timeout: .seconds(900), waitsForReady: true)
}

extension Result where Failure == RPCError {
  var code: StatusCode {
    if case .failure(let error) = self { error.code } else { .ok }
  }

  var message: String? {
    if case .failure(let error) = self { error.message } else { nil }
  }

  var value: Success? { try? get() }
}
