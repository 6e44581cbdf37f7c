/// The calls of one connection that wait for their answers, found by stream id without a search.
///
/// Ids rise by two; the place of a call follows from its id. Where the place of the next id is still
/// taken by a call that is slow, that id is left out, which the protocol allows.
@safe
struct CallTable: ~Copyable {
  private let calls: UnsafeMutablePointer<Call>
  private let mask: Int
  private var nextID: UInt32 = 1
  private(set) var count = 0

  /// `capacity` is how many calls may wait at a time.
  init(capacity: Int) {
    // With half the places free, few ids are left out.
    var places = 4
    while places < 2 * capacity { places *= 2 }
    mask = places - 1
    unsafe calls = .allocate(capacity: places)
    unsafe calls.initialize(repeating: Call(), count: places)
  }

  deinit {
    unsafe calls.deallocate()
  }

  /// Notes the call and gives it its id. Throws where the connection has none left.
  @inline(__always)
  mutating func open(_ call: inout Call) throws(LoadError) {
    var place = Int(nextID >> 1) & mask
    while unsafe calls[place].streamID != 0 {
      nextID &+= 2
      place = Int(nextID >> 1) & mask
    }
    // Those that are left out are few; the end is far from 0.
    guard nextID < UInt32.max - UInt32(clamping: 4 &* mask) else {
      throw LoadError("a connection has no stream ids left")
    }
    call.streamID = nextID
    unsafe calls[place] = call
    nextID &+= 2
    count &+= 1
  }

  /// Forgets the call of that id. Nil where none waits under it.
  @inline(__always)
  mutating func close(_ streamID: UInt32) -> Call? {
    let place = Int(streamID >> 1) & mask
    let call = unsafe calls[place]
    guard call.streamID == streamID, streamID != 0 else { return nil }
    unsafe calls[place].streamID = 0
    count &-= 1
    return call
  }
}
