import CProtobufC

extension Arena {
  /// The arena as a protobuf-c allocator, valid for the lifetime of the arena.
  var allocator: ProtobufCAllocator {
    unsafe ProtobufCAllocator(
      alloc: allocateInArena,
      free: keepInArena,
      allocator_data: UnsafeMutableRawPointer(state)
    )
  }
}

private func allocateInArena(
  _ state: UnsafeMutableRawPointer?,
  _ size: Int
) -> UnsafeMutableRawPointer? {
  guard let state = unsafe state else { return nil }
  return unsafe Arena(state: state.assumingMemoryBound(to: Arena.State.self)).allocate(size)
}

/// Does nothing: `Arena.withArena` frees all memory at once.
private func keepInArena(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) {}
