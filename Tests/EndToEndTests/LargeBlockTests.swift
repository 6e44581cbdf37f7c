import CLinux
import Glibc
import Testing

/// The return of large blocks of memory to the system.
@Suite(.timeLimit(.minutes(15))) struct LargeBlockTests {
  // In a process of its own, whose heap has no large gap. Sanitizers replace the allocator, so this
  // test is not in a module that is tested with them.
  @Test func `a large block is returned to the system, also after a larger one was freed`() async {
    await #expect(processExitsWith: .success) {
      // By default, glibc then takes blocks of up to this size from the heap.
      unsafe free(malloc(8 << 20))
      clinux_release_large_blocks()
      let block = unsafe malloc(1 << 20)
      // A use of the block, so that the allocation is not optimized away.
      unsafe block?.storeBytes(of: 1, as: UInt8.self)
      // The word before a block is its size, whose second bit says that the block was mapped.
      let size = unsafe block?.load(fromByteOffset: -MemoryLayout<Int>.size, as: Int.self) ?? 0
      exit(size & 2 == 2 ? EXIT_SUCCESS : EXIT_FAILURE)
    }
  }
}
