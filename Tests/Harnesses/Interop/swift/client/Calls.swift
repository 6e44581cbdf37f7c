internal import MockupAPI
internal import ProtobufC
internal import TTRPC

/// The result of a call.
typealias Answer<Value> = Result<Value, RPCError>

extension Peer {
  /// Calls a method of `p` whose messages are `{1: int64}`, which `Timestamp` encodes as its
  /// seconds.
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

  /// Starts a call in a task, to run beside other calls.
  func start(_ method: String, _ number: Int64) -> Task<Answer<Int64>, Never> {
    Task { await call(method, number) }
  }

  /// Calls a method of `p`, and returns the bytes of its response.
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
  /// Options with a timeout that no call reaches, for a server that may not have started yet.
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
