import CProtobufC

extension Arena {
  /// protobuf-c's view of the arena, valid as long as the arena is.
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

/// All is freed at once, by `Arena.withArena`.
private func keepInArena(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) {}
