/// A reader of the records of a serialized message, without knowledge of its fields.
///
/// See <https://protobuf.dev/programming-guides/encoding/#structure>.
@safe struct WireReader {
  /// A tag with its payload.
  @safe struct Record {
    let tag: UInt64
    let whole: UnsafeRawBufferPointer
    let payload: UnsafeRawBufferPointer

    var isLengthDelimited: Bool { tag & 7 == 2 }
  }

  enum Event {
    case record(Record)
    case end
    case malformed
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.bytes = bytes
  }

  mutating func next() -> Event {
    guard unsafe position < bytes.count else { return .end }
    let start = position
    guard let tag = varint(), let size = payloadSize(wireType: tag & 7),
      unsafe size <= bytes.count - position
    else { return .malformed }
    let payloadStart = position
    position += size
    return unsafe .record(
      Record(
        tag: tag,
        whole: UnsafeRawBufferPointer(rebasing: bytes[start..<position]),
        payload: UnsafeRawBufferPointer(rebasing: bytes[payloadStart..<position])
      )
    )
  }

  /// Returns the size of the payload, after consuming its length if it has one.
  private mutating func payloadSize(wireType: UInt64) -> Int? {
    switch wireType {
    case 0:
      let start = position
      guard varint() != nil else { return nil }
      defer { position = start }
      return position - start
    case 1: return 8
    case 2: return varint().flatMap { Int(exactly: $0) }
    case 5: return 4
    default: return nil
    }
  }

  private mutating func varint() -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard unsafe position < bytes.count else { return nil }
      let byte = unsafe bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return result }
    }
    return nil
  }
}
