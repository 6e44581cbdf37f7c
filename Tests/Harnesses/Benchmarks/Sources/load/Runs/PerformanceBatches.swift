/// The batches of a StreamPerformance call: entries for all mockups in rotation.
///
/// The entries are encoded once, and then copied for each batch.
struct PerformanceBatches {
  private let size: Int
  private let mockups: Int
  private let entrySize: Int
  /// The entries of all mockups, and again of the first ones, so that each batch is one slice.
  private let entries: [UInt8]
  private var numbers: RandomNumbers
  private var nextMockup = 0

  /// Creates batches; the mockup number j belongs to the user number j % `users`.
  init(size: Int, mockups: Int, users: Int, seed: UInt64) {
    self.size = size
    self.mockups = mockups
    let encoded = (0..<mockups).map { Self.entry(mockup: $0, user: $0 % users) }
    entrySize = encoded[0].count
    entries = (0..<mockups + size).flatMap { encoded[$0 % mockups] }
    numbers = RandomNumbers(seed: seed)
  }

  /// The length of the frame of a batch, in bytes.
  var frameLength: Int { FrameHeader.size + Self.idSize + size * entrySize }

  /// Writes the frame of the next batch, `frameLength` bytes, with a new batch id.
  mutating func writeNext(to start: UnsafeMutableRawPointer, streamID: UInt32) {
    let header = FrameHeader(
      length: UInt32(frameLength - FrameHeader.size), streamID: streamID,
      kind: FrameHeader.Kind.data)
    unsafe start.copy(header.bytes + [0x0a, UInt8(RandomUUID.textLength)])
    unsafe RandomUUID(using: &numbers).write(to: start + FrameHeader.size + 2)
    let piece = nextMockup * entrySize..<(nextMockup + size) * entrySize
    unsafe entries.withUnsafeBytes {
      unsafe UnsafeMutableRawBufferPointer(
        start: start + FrameHeader.size + Self.idSize, count: piece.count
      ).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[piece]))
    }
    nextMockup = (nextMockup + size) % mockups
  }

  /// The length of the field with the batch id, in bytes.
  private static let idSize = 2 + RandomUUID.textLength

  private static func entry(mockup: Int, user: Int) -> [UInt8] {
    var entry = MessageWriter()
    entry.string(1, Identifiers.user(UInt32(user)))
    entry.string(2, Identifiers.mockup(UInt32(mockup)))
    entry.varint(3, 1)
    entry.varint(4, 3)
    var field = MessageWriter()
    field.message(2, entry.bytes)
    return field.bytes
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copy(_ bytes: [UInt8]) {
    unsafe UnsafeMutableRawBufferPointer(start: self, count: bytes.count).copyBytes(from: bytes)
  }
}
