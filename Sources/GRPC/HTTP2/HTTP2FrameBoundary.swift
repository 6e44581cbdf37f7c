/// Finds where the units of a client's bytes end: the preface, frames, and header lists of several
/// frames.
///
/// libnghttp2 does not say whether it waits for the rest of a frame.
struct HTTP2FrameBoundary {
  private static let prefaceLength = 24
  private static let headerLength = 9
  private static let headersType: UInt8 = 1
  private static let continuationType: UInt8 = 9
  private static let endHeaders: UInt8 = 4

  /// The bytes that are left of the preface or of a frame's payload.
  private var bytesLeft = Self.prefaceLength
  /// The beginning of a frame's header: the number of its bytes, and the fields before the stream.
  private var headerCount = 0
  private var length = 0
  private var type: UInt8 = 0
  private var flags: UInt8 = 0
  /// A Boolean value that indicates whether a header list continues in the next frame.
  private var isInsideHeaders = false
  /// The preface ends with the client's first frame.
  private var isInsidePreface = true

  /// A Boolean value that indicates whether a unit has begun and not ended.
  var isInsideUnit: Bool {
    bytesLeft > 0 || headerCount > 0 || isInsideHeaders || isInsidePreface
  }

  /// The number of frames whose headers have been read.
  private(set) var frames = 0

  /// Reads bytes, until a number of frames have begun and the last one of them has ended.
  ///
  /// - Returns: The number of bytes that were read, and true if a unit has ended in them.
  mutating func read(
    _ bytes: UnsafeRawBufferPointer, frameLimit: Int
  ) -> (count: Int, hasEnded: Bool) {
    let framesBefore = frames
    var position = 0
    var hasEnded = false
    while position < bytes.count, frames - framesBefore < frameLimit || bytesLeft > 0 {
      guard bytesLeft == 0 else {
        let count = min(bytesLeft, bytes.count - position)
        position += count
        bytesLeft -= count
        if bytesLeft == 0, !isInsideHeaders, frames > 0 { hasEnded = true }
        continue
      }
      let byte = unsafe bytes[position]
      position += 1
      readHeader(byte)
      if headerCount == 0, bytesLeft == 0, !isInsideHeaders { hasEnded = true }
    }
    if hasEnded { isInsidePreface = false }
    return (position, hasEnded)
  }

  private mutating func readHeader(_ byte: UInt8) {
    switch headerCount {
    case 0: length = Int(byte)
    case 1, 2: length = length << 8 | Int(byte)
    case 3: type = byte
    case 4: flags = byte
    default: break
    }
    headerCount += 1
    guard headerCount == Self.headerLength else { return }
    headerCount = 0
    bytesLeft = length
    frames += 1
    if type == Self.headersType || type == Self.continuationType {
      isInsideHeaders = flags & Self.endHeaders == 0
    }
  }
}
