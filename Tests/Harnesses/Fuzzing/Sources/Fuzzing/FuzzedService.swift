import ProtobufC

@testable import TTRPC

/// A service with methods of all shapes, whose handlers respond at once, late, early, never, with
/// too many bytes, or with an error.
struct FuzzedService: Service {
  static let serviceName = "p"

  /// The gate at which handlers wait until the input or a cancellation resumes them.
  let gate = Gate()
  /// The gate of handlers that ignore cancellation.
  let stubbornGate = Gate()

  struct ConfidentialError: Error {}

  static let methodNames = FuzzedService().methods.map(\.name)

  var methods: [Method] { unaryMethods + streams }

  private var unaryMethods: [Method] {
    [
      .unary("Echo", WireDuration.self) { request, _ in
        WireDuration(seconds: request.seconds &+ 1)
      },
      .unary("Hold", WireDuration.self) { request, _ in
        try await gate.wait()
        return request
      },
      .unary("Stubborn", WireDuration.self) { request, _ in
        try await stubbornGate.wait(isCancellable: false)
        return request
      },
      .unary("Limited", WireDuration.self) { request, context in
        _ = context.limited(to: .milliseconds(min(max(request.seconds, 0), 1000)))
        try await gate.wait()
        return request
      },
      .unary("Large", WireDuration.self) { request, _ in
        WireStatus(message: Self.text(request.seconds))
      },
      .unary("Fail", WireStatus.self) { request, _ -> WireDuration in
        guard request.code == 0 else { throw RPCError(request) }
        throw ConfidentialError()
      },
    ]
  }

  private var streams: [Method] {
    [
      .serverStreaming("Many", WireDuration.self) { request, responses, _ in
        for number in 0..<min(max(request.seconds, 1), 20) {
          try await responses.write(
            WireStatus(code: Int32(number), message: Self.text(Int64(request.nanos))))
        }
      },
      .serverStreaming("Watch", WireDuration.self) { request, responses, context in
        if request.seconds % 2 == 0 { context.endAtDrain() }
        try await responses.write(request)
        try await gate.wait()
        try await responses.write(request)
      },
      .serverStreaming("Linger", WireDuration.self) { request, responses, _ in
        try await stubbornGate.wait(isCancellable: false)
        try await responses.write(request)
      },
      .clientStreaming("Sum", WireDuration.self) { requests, _ in
        var count: Int64 = 0
        for try await _ in requests { count += 1 }
        return WireDuration(seconds: count)
      },
      .clientStreaming("First", WireDuration.self) { requests, _ in
        try await requests.next() ?? WireDuration()
      },
      .bidirectional("Bidi", WireDuration.self) { requests, responses, _ in
        for try await request in requests {
          try await responses.write(WireDuration(seconds: request.seconds &+ 1))
        }
      },
      .bidirectional("Stall", WireStatus.self) { requests, responses, _ in
        try await gate.wait()
        for try await request in requests { try await responses.write(request) }
      },
    ]
  }

  private static func text(_ count: Int64) -> String {
    String(repeating: "x", count: Int(min(max(count, 0), 1500)))
  }
}
