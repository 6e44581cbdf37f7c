import Testing

@testable import GRPC

/// The ends of frames and header lists in a client's bytes.
@Suite struct HTTP2FrameBoundaryTests {
  private typealias Peer = HTTP2RawPeer

  /// Units of a client's bytes, beginning with the preface.
  private static let units: [[UInt8]] = [
    Peer.preface + Peer.settings([(4, 100)]),
    Peer.ping,
    Peer.frame(.settings, flags: Peer.acknowledgment, 0),
    Peer.open("Echo", 1),
    Peer.message([UInt8](repeating: 7, count: 300), 1),
    Peer.frame(.headers, 3, Peer.headerList("Echo")) + Peer.frame(.continuation, 3)
      + Peer.frame(.continuation, flags: Peer.endHeaders, 3),
    Peer.frame(.headers, 5) + Peer.frame(.continuation, flags: Peer.endHeaders, 5, [1, 2]),
    Peer.frame(.data, 1),
  ]

  /// Reads all bytes, and returns true if a unit has ended in them.
  private static func read(_ bytes: some Sequence<UInt8>, _ boundary: inout HTTP2FrameBoundary)
    -> Bool
  {
    let bytes = Array(bytes)
    let (count, hasEnded) = read(bytes, &boundary, frameLimit: .max)
    #expect(count == bytes.count)
    return hasEnded
  }

  private static func read(
    _ bytes: [UInt8], _ boundary: inout HTTP2FrameBoundary, frameLimit: Int
  ) -> (count: Int, hasEnded: Bool) {
    unsafe bytes.withUnsafeBytes { unsafe boundary.read($0, frameLimit: frameLimit) }
  }

  @Test func `a unit ends with its last byte`() {
    var boundary = HTTP2FrameBoundary()
    #expect(boundary.isInsideUnit, "the preface is missing")
    for (index, unit) in Self.units.enumerated() {
      for byte in unit.dropLast() {
        let hasEnded = Self.read([byte], &boundary)
        #expect(!hasEnded, "unit \(index)")
        #expect(boundary.isInsideUnit, "unit \(index)")
      }
      let hasEnded = Self.read(unit.suffix(1), &boundary)
      #expect(hasEnded, "unit \(index)")
      #expect(!boundary.isInsideUnit, "unit \(index)")
    }
  }

  @Test func `several units may arrive together`() {
    let pieces: [([UInt8], hasEnded: Bool, isInside: Bool)] = [
      (Array(Self.units.joined()), true, false),
      (Peer.ping + Peer.ping.prefix(5), true, true),
      (Array(Peer.ping[5..<10]), false, true),
      (Array(Peer.ping[10...]), true, false),
    ]
    var boundary = HTTP2FrameBoundary()
    for (index, piece) in pieces.enumerated() {
      let hasEnded = Self.read(piece.0, &boundary)
      #expect(hasEnded == piece.hasEnded, "piece \(index)")
      #expect(boundary.isInsideUnit == piece.isInside, "piece \(index)")
    }
  }

  @Test(arguments: [1, 2, 3, 100])
  func `reading stops after a number of frames`(_ limit: Int) {
    // Headers of two frames are one unit.
    let frames =
      [Self.units[0]] + Self.units[1..<5]
      + [Peer.frame(.headers, 3, [1, 2]), Peer.frame(.continuation, flags: Peer.endHeaders, 3)]
      + [Self.units[7], Peer.ping.dropLast()]
    var boundary = HTTP2FrameBoundary()
    var rest = Array(frames.joined())
    for first in stride(from: 0, to: frames.count, by: limit) {
      let part = Array(frames[first..<min(first + limit, frames.count)].joined())
      let (count, _) = Self.read(rest, &boundary, frameLimit: limit)
      #expect(count == part.count, "from frame \(first)")
      rest.removeFirst(count)
    }
    #expect(rest.isEmpty)
    #expect(boundary.isInsideUnit)
    let (count, hasEnded) = Self.read(Array(Peer.ping.suffix(1)), &boundary, frameLimit: limit)
    #expect(count == 1 && hasEnded)
    #expect(!boundary.isInsideUnit)
  }
}
