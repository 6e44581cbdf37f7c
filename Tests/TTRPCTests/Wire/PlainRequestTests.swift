import ProtobufC
import TestSupport
import Testing

@testable import TTRPC

/// The short way of reading a request, against the long one.
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

  @Test func whatIsPlainIsReadInAnyOrder() {
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
      // Metadata, a field of the future, a field that comes twice, one of another type.
      [0x2a, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76], [0x32, 1, 0], [0x0a, 1, 0x70, 0x0a, 1, 0x71],
      [0x08, 1], [0x22, 1, 0],
      // Cut short, and longer than it is.
      [0x0a], [0x0a, 2, 0x70], [0x20], [0x20, 0x80],
      [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x70],
      // Eleven bytes of a number, and one of more than 64 bits.
      [0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
      [0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    ] as [[UInt8]])
  func whatIsNotIsLeftToTheLongWay(bytes: [UInt8]) {
    #expect(plain(bytes) == nil)
  }

  /// A failure's seed runs it again: `MOCKUPD_TEST_SEED`.
  @Test func bothWaysReadTheSameOfWhateverBothRead() throws {
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
      guard let long = try? WireRequest(serialized: bytes) else {
        // Names that are no text are nobody's names: no method is found by them.
        let names = [plain.service, plain.method].map { String(validating: $0, as: UTF8.self) }
        #expect(names.contains(nil), "\(bytes)")
        continue
      }
      bothRead += 1
      #expect(
        plain
          == Fields(
            service: Array(long.service.utf8), method: Array(long.method.utf8),
            payload: long.payload, timeout: long.timeout))
    }
    #expect(bothRead > 5000)
  }
}
