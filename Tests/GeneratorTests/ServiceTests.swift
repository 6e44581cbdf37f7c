import Testing

@testable import generator

@Suite struct ServiceTests {
  @Test func `a service becomes a handler protocol and a client`() throws {
    let swift = try CompiledSchema(
      """
      syntax = "proto3";
      package shop.v1;
      message GetRequest {}
      message GetResponse {}
      // Sells things.
      service ShopService {
        // Looks one up.
        //
        // Or fails.
        rpc Get(GetRequest) returns (GetResponse);
      }
      """
    ).swift("--visibility", "public", "--service-module", "TTRPC")
    let start = try #require(swift.firstRange(of: "/// Sells things.")).lowerBound
    #expect(String(swift[start...]) == Self.golden)
    #expect(swift.contains("\npublic import TTRPC\n"))
  }

  private static let golden = """
    /// Sells things.
    public protocol ShopServiceHandler: TTRPC.Service {
      /// Looks one up.
      ///
      /// Or fails.
      func get(
        _ request: GetRequest, context: TTRPC.ServerContext
      ) async throws -> GetResponse
    }

    extension ShopServiceHandler {
      /// The full name of the service, as sent in requests.
      public static var serviceName: String { "shop.v1.ShopService" }

      /// The methods of the service, bound to this handler.
      public var methods: [TTRPC.Method] {
        [
          .unary("Get", GetRequest.self) { request, context in
            try await self.get(request, context: context)
          },
        ]
      }
    }

    /// A client of `shop.v1.ShopService`.
    public struct ShopServiceClient: Sendable {
      /// The full name of the service, as sent in requests.
      public static let serviceName = "shop.v1.ShopService"

      /// The descriptors of the service's methods.
      public enum Methods {
        /// The descriptor of `Get`.
        public static let get = TTRPC.MethodDescriptor(
          service: ShopServiceClient.serviceName, name: "Get", shape: .unary, isIdempotent: false)
      }

      private let client: TTRPC.Client

      /// Creates a client that makes its calls with `client`, which it does not own.
      public init(_ client: TTRPC.Client) {
        self.client = client
      }

      /// Looks one up.
      ///
      /// Or fails.
      public func get(
        _ request: GetRequest, options: TTRPC.CallOptions = .init()
      ) async throws(TTRPC.RPCError) -> GetResponse {
        try await client.unary(Methods.get, request, options: options)
      }
    }

    """

  /// The code for `rpc Go(…A) returns (…B)` of each streaming shape: the requirement of the
  /// handler, the binding and the method of the client.
  static let shapes: [(method: String, swift: [String])] = [
    (
      "rpc Go(A) returns (stream B);",
      [
        """
          func go(
            _ request: A, responses: TTRPC.ResponseWriter<B>,
            context: TTRPC.ServerContext
          ) async throws

        """,
        """
              .serverStreaming("Go", A.self) { request, responses, context in
                try await self.go(request, responses: responses, context: context)
              },

        """,
        "shape: .serverStreaming,",
        """
          func go<Value>(
            _ request: A, options: TTRPC.CallOptions = .init(),
            _ body: (TTRPC.MessageStream<B>) async throws -> Value
          ) async throws -> Value {
            try await client.serverStreaming(Methods.go, request, options: options, body)
          }

        """,
      ]
    ),
    (
      "rpc Go(stream A) returns (B);",
      [
        """
          func go(
            _ requests: TTRPC.MessageStream<A>, context: TTRPC.ServerContext
          ) async throws -> B

        """,
        """
              .clientStreaming("Go", A.self) { requests, context in
                try await self.go(requests, context: context)
              },

        """,
        "shape: .clientStreaming,",
        """
          func go(
            options: TTRPC.CallOptions = .init(),
            _ body: (TTRPC.RequestWriter<A>) async throws -> Void
          ) async throws -> B {
            try await client.clientStreaming(Methods.go, options: options, body)
          }

        """,
      ]
    ),
    (
      "rpc Go(stream A) returns (stream B);",
      [
        """
          func go(
            _ requests: TTRPC.MessageStream<A>,
            responses: TTRPC.ResponseWriter<B>,
            context: TTRPC.ServerContext
          ) async throws

        """,
        """
              .bidirectional("Go", A.self) { requests, responses, context in
                try await self.go(requests, responses: responses, context: context)
              },

        """,
        "shape: .bidirectional,",
        """
          func go<Value>(
            options: TTRPC.CallOptions = .init(),
            _ body: (
              TTRPC.RequestWriter<A>, TTRPC.MessageStream<B>
            ) async throws -> Value
          ) async throws -> Value {
            try await client.bidirectional(Methods.go, options: options, body)
          }

        """,
      ]
    ),
  ]

  @Test(arguments: shapes)
  func `a streaming method has a handler and a client of its shape`(
    _ method: String, _ parts: [String]
  ) throws {
    let swift = try CompiledSchema(
      "syntax = 'proto3'; package p; message A {} message B {} service S { \(method) }"
    ).swift("--service-module", "TTRPC")
    for part in parts { #expect(swift.contains(part), "\(swift)") }
  }

  static let levels: [(option: String, isIdempotent: Bool)] = [
    ("", false),
    ("option idempotency_level = IDEMPOTENCY_UNKNOWN;", false),
    ("option idempotency_level = IDEMPOTENT;", true),
    ("option idempotency_level = NO_SIDE_EFFECTS;", true),
  ]

  @Test(arguments: levels)
  func `a method descriptor states if the method is idempotent`(
    _ option: String, _ isIdempotent: Bool
  ) throws {
    let swift = try CompiledSchema(
      "syntax = 'proto3'; package p; message A {} service S { rpc Go(A) returns (A) { \(option) } }"
    ).swift("--service-module", "TTRPC")
    #expect(swift.contains("shape: .unary, isIdempotent: \(isIdempotent))"))
  }
}
