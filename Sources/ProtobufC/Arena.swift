/// The memory for the C structs of one message, allocated piece by piece and freed at once.
///
/// It is a handle to state on the stack of `withArena` and must not outlive that call. The first
/// kilobyte of memory is on the stack too, so a small message needs no heap allocation.
@safe public struct Arena {
  let state: UnsafeMutablePointer<State>

  /// The rest of the current block, and the blocks to free.
  @safe struct State {
    var cursor: UnsafeMutableRawPointer
    var available: Int
    /// The newest heap block; its first word points to the previous block.
    var newest: UnsafeMutableRawPointer?
    var nextBlockSize = 8 << 10
    /// The number of bytes that may still be allocated on the heap.
    var budget: Int
    /// True if an allocation exceeded the budget.
    var isExhausted = false
    let limit: Int
    /// The outermost message type, for errors.
    let descriptor: MessageDescriptor
  }

  private static let stackBytes = 1024
  private static let largestBlock = 1 << 20
  /// The alignment of every block: the members of protobuf-c's structs need no more than a pointer
  /// or a double does.
  static let alignment = 8

  /// Runs `body` with an arena of its own, and frees the arena afterwards.
  ///
  /// The function is not generic over a result, and its callers are not generic where possible:
  /// unspecialized generic code spends more time on type lookups than protobuf-c on unpacking.
  ///
  /// - Parameters:
  ///   - limit: The maximum number of bytes on the heap.
  ///   - descriptor: The outermost message type, for errors.
  ///   - body: The closure that uses the arena.
  static func withArena<E: Error>(
    limit: Int,
    for descriptor: MessageDescriptor,
    _ body: (Arena) throws(E) -> Void
  ) throws(E) {
    try unsafe withUnsafeTemporaryAllocation(byteCount: stackBytes, alignment: alignment) {
      (stack: UnsafeMutableRawBufferPointer) throws(E) in
      guard let base = stack.baseAddress else { preconditionFailure("the stack block is empty") }
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

  /// Returns uninitialized, aligned memory for `size` bytes; returns nil beyond the limit.
  func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
    // No overflow: protobuf-c computes sizes from lengths that fit the input.
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

  /// Counts memory that is allocated elsewhere against the limit.
  ///
  /// - Throws: ``ProtobufError/tooLarge(message:limit:)``.
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
