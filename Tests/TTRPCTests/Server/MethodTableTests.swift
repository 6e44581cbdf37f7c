import NIOEmbedded
import Testing

@testable import TTRPC

/// Searches for the method that a request names.
@Suite struct MethodTableTests {
  /// Two services whose names are equally long, with methods of the same names.
  private struct First: Service {
    static let serviceName = "p.first"
    var methods: [TTRPC.Method] { MethodTableTests.methods }
  }

  private struct Other: Service {
    static let serviceName = "p.other"
    var methods: [TTRPC.Method] { MethodTableTests.methods }
  }

  private static var methods: [TTRPC.Method] {
    ["Get", "Set", ""].map { .unary($0, WireDuration.self) { request, _ in request } }
  }

  private static let table = MethodTable(
    [First(), Other()], interceptors: ServerInterceptorChain([]))

  @Test(arguments: ["p.first", "p.other"], ["Get", "Set", ""])
  func `a registered method is found by both names`(service: String, name: String) {
    let found = Self.table.method(service: service, method: name)
    #expect(found.isKnown)
    #expect(found.descriptor == MethodDescriptor(service: service, name: name))
  }

  @Test func `each event loop has method objects of its own`() {
    let server = ServerParts(
      [First()], routes: [], interceptors: [], limits: .patient, budget: { _ in .unlimited })
    let methods = (0..<2).map { _ in
      ServerLoop(EmbeddedEventLoop(), server).methods.method(service: "p.first", method: "Get")
    }
    #expect(methods[0].isKnown && methods[1].isKnown)
    #expect(methods[0] !== methods[1])
  }

  @Test(arguments: [
    ("p.first", "Gat"), ("p.first", "Gets"), ("p.third", "Get"), ("p.firs", "tGet"), ("", ""),
  ])
  func `a method is unknown unless both names are registered`(service: String, name: String) {
    let found = Self.table.method(service: service, method: name)
    #expect(!found.isKnown)
    #expect(found.descriptor == MethodDescriptor(service: service, name: name))
  }
}
