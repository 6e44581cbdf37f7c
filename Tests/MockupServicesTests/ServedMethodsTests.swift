import MockupAPI
import MockupDatabase
import Postgres
import TTRPC
import Testing

@testable import MockupServices

/// Compares the compiled-in schema with the rows of the access table.
///
/// A method whose row is missing by mistake would be for admins only.
@Suite struct ServedMethodsTests {
  @Test func `every method of the schema has a row in the access table`() {
    let methods = Self.schemaMethods()
    #expect(methods.contains { $0 == ("mockups.v1.CreditService", "ReserveCredits") })
    for (service, method) in methods {
      let hasRow = AccessTable.methods[service]?[method] != nil
      #expect(
        hasRow || AccessTable.services[service] != nil,
        "\(service)/\(method) has no row in AccessTable")
    }
  }

  /// `CreditService` lists its methods by hand, so one could be missing.
  @Test func `the credit service serves every method of the schema`() async throws {
    let pool = try Pool(
      configuration: PostgresConfiguration(url: "postgresql:///", applicationName: "none"))
    let served = CreditService(store: CreditStore(pool: pool)).methods
    let expected = Self.schemaMethods().filter { $0.service == CreditService.serviceName }
    #expect(served.map(\.name).sorted() == expected.map(\.method).sorted())
    for method in served {
      #expect(method.shape == (method.name == "ExportCreditUsage" ? .serverStreaming : .unary))
    }
  }

  /// Returns every method of the compiled-in `FileDescriptorSet`.
  private static func schemaMethods() -> [(service: String, method: String)] {
    MockupDescriptors.fileDescriptorSet[...].submessages(1).flatMap { file in
      file.submessages(6).flatMap { service in
        service.submessages(2).map { method in
          ("\(file.text(2)).\(service.text(1))", method.text(1))
        }
      }
    }
  }
}

extension ArraySlice<UInt8> {
  /// Returns the contents of each length-delimited field with the given number.
  fileprivate func submessages(_ number: UInt64) -> [ArraySlice<UInt8>] {
    var rest = self
    var found: [ArraySlice<UInt8>] = []
    while !rest.isEmpty {
      let tag = rest.takeNumber()
      switch tag & 7 {
      case 2:
        let length = Int(rest.takeNumber())
        if tag >> 3 == number { found.append(rest.prefix(length)) }
        rest = rest.dropFirst(length)
      case 1: rest = rest.dropFirst(8)
      case 5: rest = rest.dropFirst(4)
      default: _ = rest.takeNumber()
      }
    }
    return found
  }

  fileprivate func text(_ number: UInt64) -> String {
    submessages(number).last.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private mutating func takeNumber() -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = popFirst() else { break }
      number |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte & 0x80 == 0 { break }
    }
    return number
  }
}
