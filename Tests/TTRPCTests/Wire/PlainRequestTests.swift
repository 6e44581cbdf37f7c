import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The fast path of parsing a request, compared to the general path.
@Suite struct PlainRequestTests {
  private struct Fields: Equatable {
    var service: [UInt8]
    var method: [UInt8]
    var payload: [UInt8]
    var timeout: Duration?
  }

  private func plain(_ bytes: [UInt8]) -> Fields? {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let request = unsafe PlainRequest(bytes) else { return nil }
      return unsafe Fields(
        service: Array(request.service), method: Array(request.method),
        payload: Array(request.payload), timeout: request.timeout)
    }
  }

  @Test func `a plain request is parsed with its fields in any order`() {
    let service: [UInt8] = [0x0a, 1, 0x70]
    let method: [UInt8] = [0x12, 4, 0x45, 0x63, 0x68, 0x6f]
    let payload: [UInt8] = [0x1a, 2, 8, 41]
    let timeout: [UInt8] = [0x20, 0x80, 0x94, 0xeb, 0xdc, 0x03]
    let expected = Fields(
      service: [0x70], method: [0x45, 0x63, 0x68, 0x6f], payload: [8, 41], timeout: .seconds(1))
    #expect(plain(service + method + payload + timeout) == expected)
    #expect(plain(timeout + payload + method + service) == expected)
    #expect(plain([]) == Fields(service: [], method: [], payload: [], timeout: nil))
  }

  @Test(
    arguments: [
      // Metadata, an unknown field, a repeated field, and fields of the wrong type.
      [0x2a, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76], [0x32, 1, 0], [0x0a, 1, 0x70, 0x0a, 1, 0x71],
      [0x08, 1], [0x22, 1, 0],
      // Truncated fields, and a length beyond the end.
      [0x0a], [0x0a, 2, 0x70], [0x20], [0x20, 0x80],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x70],
      // A varint of eleven bytes, and one of more than 64 bits.
      [0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
      [0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    ] as [[UInt8]])
  func `a request that is not plain is left to the general path`(bytes: [UInt8]) {
    #expect(plain(bytes) == nil)
  }

  /// To repeat a failure, set `MOCKUPD_TEST_SEED` to the printed seed.
  @Test func `both paths parse the same fields`() throws {
    var random = SeededGenerator(printingSeedOf: "MOCKUPD_TEST_SEED")
    var bothRead = 0
    for _ in 0..<20_000 {
      var bytes = WireRequest(
        service: "p", method: ["Echo", "", "Wait"].randomElement(using: &random) ?? "",
        payload: (0..<Int.random(in: 0...200, using: &random)).map { UInt8($0) },
        timeoutNano: [0, 1, -1, .max, .min, 77].randomElement(using: &random) ?? 0
      ).serialized()
      for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      guard let plain = plain(bytes) else { continue }
      guard let general = try? WireRequest(serialized: bytes) else {
        // A name that is not UTF-8 matches no method, so the fast path may accept it.
        let names = [plain.service, plain.method].map { String(validating: $0, as: UTF8.self) }
        #expect(names.contains(nil), "\(bytes)")
        continue
      }
      bothRead += 1
      #expect(
        plain
          == Fields(
            service: Array(general.service.utf8), method: Array(general.method.utf8),
            payload: general.payload, timeout: general.timeout))
    }
    #expect(bothRead > 5000)
  }
}
