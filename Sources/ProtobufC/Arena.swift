/// Memory for one message's C structs: handed out piece by piece, freed at once.
///
/// A handle to state that lives on the stack of `withArena`; it must not outlive that call. The
/// first kilobyte is on the stack too, so that a small message allocates nothing.
@safe public struct Arena {
  let state: UnsafeMutablePointer<State>

  /// What is left of the current block, and the blocks to free.
  @safe struct State {
    var cursor: UnsafeMutableRawPointer
    var available: Int
    /// The newest block from the heap; its first word points to the one before.
    var newest: UnsafeMutableRawPointer?
    var nextBlockSize = 8 << 10
    /// Bytes that may still be taken from the heap.
    var budget: Int
    /// Whether something was refused for lack of budget.
    var isExhausted = false
    let limit: Int
    /// The outermost message, for errors.
    let descriptor: MessageDescriptor
  }

  private static let stackBytes = 1024
  private static let largestBlock = 1 << 20
  /// Enough for every member of protobuf-c's structs, none wider than a pointer or a double.
  static let alignment = 8

  /// Runs `body` with an arena of its own and frees it afterwards.
  ///
  /// Not generic, and so are the callers where they can be: generic code that is not specialised
  /// spends more time on looking up types than protobuf-c on unpacking.
  ///
  /// - Parameters:
  ///   - limit: the most bytes to take from the heap.
  ///   - descriptor: the outermost message, for errors.
  static func withArena<E: Error>(
    limit: Int,
    for descriptor: MessageDescriptor,
    _ body: (Arena) throws(E) -> Void
  ) throws(E) {
    try unsafe withUnsafeTemporaryAllocation(byteCount: stackBytes, alignment: alignment) {
      (stack: UnsafeMutableRawBufferPointer) throws(E) in
      guard let base = stack.baseAddress else { preconditionFailure("an empty stack block") }
      var state = unsafe State(
        cursor: base,
        available: stack.count,
        budget: limit,
        limit: limit,
        descriptor: descriptor
      )
      try unsafe withUnsafeMutablePointer(to: &state) { pointer throws(E) in
        let arena = unsafe Arena(state: pointer)
        defer { arena.free() }
        try body(arena)
      }
    }
  }

  /// Memory for `size` bytes, aligned for any member, not initialised; `nil` beyond the limit.
  func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    // protobuf-c computes sizes from lengths that fit the input, far from overflow.
    let rounded = (max(size, 1) &+ (Self.alignment - 1)) & ~(Self.alignment - 1)
    guard rounded > 0 else { return nil }
    if unsafe rounded > state.pointee.available {
      guard addBlock(atLeast: rounded) else { return nil }
    }
    let result = unsafe state.pointee.cursor
    unsafe state.pointee.cursor = result + rounded
    unsafe state.pointee.available -= rounded
    return unsafe result
  }

  /// Counts memory that is taken elsewhere against the limit.
  @usableFromInline
  func charge(_ bytes: Int) throws(ProtobufError) {
    guard unsafe bytes <= state.pointee.budget else {
      throw unsafe .tooLarge(
        message: state.pointee.descriptor.fullName,
        limit: state.pointee.limit
      )
    }
    unsafe state.pointee.budget -= bytes
  }

  private func addBlock(atLeast size: Int) -> Bool {
    let header = Self.alignment
    let (needed, overflows) = size.addingReportingOverflow(header)
    let budget = unsafe state.pointee.budget
    guard !overflows, needed <= budget else {
      unsafe state.pointee.isExhausted = true
      return false
    }
    let bytes = unsafe min(max(needed, state.pointee.nextBlockSize), budget)
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: bytes,
      alignment: Self.alignment
    )
    unsafe block.storeBytes(of: state.pointee.newest, as: UnsafeMutableRawPointer?.self)
    unsafe state.pointee.newest = block
    unsafe state.pointee.cursor = block + header
    unsafe state.pointee.available = bytes - header
    unsafe state.pointee.budget = budget - bytes
    unsafe state.pointee.nextBlockSize = min(
      state.pointee.nextBlockSize * 2,
      Self.largestBlock
    )
    return true
  }

  private func free() {
    var block = unsafe state.pointee.newest
    while let current = unsafe block {
      unsafe block = current.load(as: UnsafeMutableRawPointer?.self)
      unsafe current.deallocate()
    }
  }
}
