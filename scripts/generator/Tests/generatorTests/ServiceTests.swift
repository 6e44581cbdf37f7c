import Testing

@testable import generator

@Suite struct ServiceTests {
  @Test func aServiceBecomesAProtocolAndAStub() throws {
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
      /// The service's name on the wire.
      public static var serviceName: String { "shop.v1.ShopService" }

      /// All methods, each bound to this handler.
      public var methods: [TTRPC.Method] {
        [
          .unary("Get", GetRequest.self) { request, context in
            try await self.get(request, context: context)
          },
        ]
      }
    }

    /// Calls the methods of `shop.v1.ShopService`.
    public struct ShopServiceClient: Sendable {
      /// The service's name on the wire.
      public static let serviceName = "shop.v1.ShopService"

      private let client: TTRPC.Client

      /// Calls go over `client`, which the stub does not own.
      public init(_ client: TTRPC.Client) {
        self.client = client
      }

      /// Looks one up.
      ///
      /// Or fails.
      public func get(
        _ request: GetRequest, options: TTRPC.CallOptions = .init()
      ) async throws(TTRPC.RPCError) -> GetResponse {
        try await client.unary(
          service: Self.serviceName, method: "Get", request, options: options)
      }
    }

    """
}
