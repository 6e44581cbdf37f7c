/// The calls of a connection that wait for responses, found by stream id without a search.
///
/// Ids rise by two, and the slot of a call follows from its id. If a slow call still has the slot
/// of the next id, that id is skipped, which the protocol allows.
@safe
struct CallTable: ~Copyable {
  private let calls: UnsafeMutablePointer<Call>
  private let mask: Int
  private var nextID: UInt32 = 1
  private(set) var count = 0

  /// The largest id, which has 31 bits in HTTP/2.
  private static let largestID = UInt32(Int32.max)

  /// Creates a table for at most `capacity` waiting calls.
  init(capacity: Int) {
    // With half of the slots free, few ids are skipped.
    var slots = 4
    while slots < 2 * capacity { slots *= 2 }
    mask = slots - 1
    unsafe calls = .allocate(capacity: slots)
    unsafe calls.initialize(repeating: Call(), count: slots)
  }

  deinit {
    unsafe calls.deallocate()
  }

  /// Adds a call and assigns its stream id.
  ///
  /// - Throws: `LoadError` if the connection has no ids left.
  @inline(__always)
  mutating func open(_ call: inout Call) throws(LoadError) {
    var slot = Int(nextID >> 1) & mask
    while unsafe calls[slot].streamID != 0 {
      nextID &+= 2
      slot = Int(nextID >> 1) & mask
    }
    // Few ids are skipped; this margin keeps nextID from overflowing.
    guard nextID < Self.largestID - UInt32(clamping: 4 &* mask) else {
      throw LoadError("a connection has no stream ids left")
    }
    call.streamID = nextID
    unsafe calls[slot] = call
    nextID &+= 2
    count &+= 1
  }

  /// Notes the result of the call with a stream id; false if no call waits under it.
  @inline(__always)
  mutating func setSuccess(_ succeeded: Bool, of streamID: UInt32) -> Bool {
    let slot = Int(streamID >> 1) & mask
    guard unsafe calls[slot].streamID == streamID, streamID != 0 else { return false }
    unsafe calls[slot].succeeded = succeeded
    return true
  }

  /// Removes the call with a stream id; `nil` if no call waits under it.
  @inline(__always)
  mutating func close(_ streamID: UInt32) -> Call? {
    let slot = Int(streamID >> 1) & mask
    let call = unsafe calls[slot]
    guard call.streamID == streamID, streamID != 0 else { return nil }
    unsafe calls[slot].streamID = 0
    count &-= 1
    return call
  }
}
