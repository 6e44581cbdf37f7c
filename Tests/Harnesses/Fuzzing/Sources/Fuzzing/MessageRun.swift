import NIOCore
import ProtobufC

@testable import TTRPC

/// A run of the decoders of messages and frames; the first byte of an input selects the decoder.
enum MessageRun {
  private static let limits = DecodingLimits(memory: 1 << 20)

  static func run(_ input: ArraySlice<UInt8>) {
    let (choice, bytes) = (Int(input.first ?? 0), Array(input.dropFirst()))
    let checks: [([UInt8]) -> Void] = [
      { roundTrip(Scalars.self, $0) }, { roundTrip(Lists.self, $0) }, { roundTrip(Rich.self, $0) },
      { roundTrip(Tree.self, $0) }, { roundTrip(Ping.self, $0) }, { roundTrip(Words.self, $0) },
      { roundTrip(Crowd.self, $0) }, { roundTrip(WireRequest.self, $0) },
      { roundTrip(WireResponse.self, $0) }, { roundTrip(WireBadRequest.self, $0) },
      { roundTrip(WireRetryInfo.self, $0) }, { checkOutcome($0) }, { checkFrames($0) },
      { checkFrames($0) }, { roundTrip(WireErrorInfo.self, $0) },
    ]
    checks[choice % checks.count](bytes)
  }

  /// Checks that a decoded message is the same after it is encoded and decoded again.
  private static func roundTrip<M: ProtobufMessage>(_ type: M.Type, _ bytes: [UInt8]) {
    guard let value = try? M(serialized: bytes, limits: limits) else { return }
    let written = value.serialized()
    guard let second = try? M(serialized: written), let third = try? M(serialized: written) else {
      violated("an encoded \(M.fullName) can be decoded")
    }
    // A message with a NaN is not equal to itself. Then two messages that were decoded from the
    // same bytes differ, too.
    expect(second == value || second != third, "a decoded \(M.fullName) equals the encoded one")
    expect(second.serialized() == written, "a decoded \(M.fullName) is encoded to the same bytes")
    value.withSerializer { serializer in
      expect(serializer.byteCount == written.count, "the byte count of a \(M.fullName) is right")
    }
  }

  private static func checkOutcome(_ bytes: [UInt8]) {
    guard case .failure(let error)? = try? WireResponse(serialized: bytes).outcome else { return }
    _ = (error.retryDelay, error.fieldViolations, String(reflecting: error))
    let written = WireResponse(error: error).serialized()
    expect((try? WireResponse(serialized: written)) != nil, "an encoded error can be decoded")
  }

  /// Checks that the decoder finds the same frames wherever the bytes are cut.
  private static func checkFrames(_ input: [UInt8]) {
    let count = min(Int(input.first ?? 0) % 8, input.count)
    let cuts = input.dropFirst().prefix(count).map(Int.init)
    let bytes = Array(input.dropFirst(1 + count))
    let whole = events(of: bytes, cuts: [])
    expect(events(of: bytes, cuts: cuts) == whole, "frames are the same wherever they are cut")
    expect(
      events(of: bytes, cuts: [Int](repeating: 1, count: bytes.count)) == whole,
      "frames are the same if each byte arrives alone")
  }

  private static func events(of bytes: [UInt8], cuts: [Int]) -> [FrameDecoder.Event] {
    var decoder = FrameDecoder(maximumPayload: 64)
    var events: [FrameDecoder.Event] = []
    var rest = bytes[...]
    for cut in cuts + [bytes.count] {
      decoder.append(ByteBuffer(bytes: rest.prefix(cut)))
      rest = rest.dropFirst(cut)
      while let event = decoder.next() { events.append(event) }
      expect(decoder.bufferedBytes < 64 + 10, "a frame is buffered only up to the limit")
    }
    return events
  }
}
