public import CProtobufC

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

/// Functions for generated code that copy values into C structs, which are then packed.
///
/// An arena for packing has no limit, because it holds the program's own messages.
extension Arena {
  /// Copies the UTF-8 bytes of a string into the arena.
  public func place(_ value: String) -> ProtobufCBinaryData {
    var value = value
    return value.withUTF8 { unsafe place(UnsafeRawBufferPointer($0)) }
  }

  /// Copies bytes into the arena.
  public func place(_ value: [UInt8]) -> ProtobufCBinaryData {
    unsafe value.withUnsafeBytes { unsafe place($0) }
  }

  /// Copies the elements of a repeated string field into the arena; returns nil if there are none.
  public func place(_ values: [String]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// Copies the elements of a repeated bytes field into the arena; returns nil if there are none.
  public func place(_ values: [[UInt8]]) -> UnsafeMutablePointer<ProtobufCBinaryData>? {
    unsafe place(values) { unsafe place($0) }
  }

  /// Copies the elements of a repeated numeric field into the arena; returns nil if there are none.
  @inlinable
  public func place<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutablePointer<T>? {
    unsafe place(values) { $0 }
  }

  /// Copies the elements of a repeated Boolean field into the arena; returns nil if there are none.
  public func place(_ values: [Bool]) -> UnsafeMutablePointer<protobuf_c_boolean>? {
    unsafe place(values) { $0 ? 1 : 0 }
  }

  /// Copies the elements of a repeated enum field into the arena, as the enum's C type; returns nil
  /// if there are none.
  @inlinable
  public func place<T: ProtobufEnum, CEnum: BitwiseCopyable>(
    _ values: [T]
  ) -> UnsafeMutablePointer<CEnum>? {
    precondition(MemoryLayout<CEnum>.size == MemoryLayout<Int32>.size)
    let numbers = unsafe place(values) { $0.rawValue }
    return unsafe UnsafeMutableRawPointer(numbers)?.assumingMemoryBound(to: CEnum.self)
  }

  /// Copies a submessage into the arena as a C struct; returns nil if it is absent.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ value: M?
  ) -> UnsafeMutablePointer<CStruct>? {
    guard let value else { return nil }
    return unsafe root(value).assumingMemoryBound(to: CStruct.self)
  }

  /// Copies the elements of a repeated message field into the arena; returns nil if there are none.
  @inlinable
  public func place<M: ProtobufMessage, CStruct>(
    _ values: [M]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<CStruct>?>? {
    unsafe place(values) { unsafe root($0).assumingMemoryBound(to: CStruct.self) }
  }

  /// Returns a C struct in the arena with the fields of the message.
  @inlinable
  func root<M: ProtobufMessage>(_ value: M) -> UnsafeMutableRawPointer {
    let target = unsafe structure(M.descriptor)
    unsafe value.fill(target, in: self)
    return unsafe target
  }

  /// Returns an initialized C struct in the arena.
  @usableFromInline
  func structure(_ descriptor: MessageDescriptor) -> UnsafeMutableRawPointer {
    let target = unsafe take(descriptor.pointer.pointee.sizeof_message)
    unsafe protobuf_c_message_init(descriptor.pointer, target)
    return unsafe target
  }

  private func place(_ bytes: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else {
      return unsafe ProtobufCBinaryData(len: 0, data: nil)
    }
    let target = unsafe take(bytes.count)
    unsafe target.copyMemory(from: source, byteCount: bytes.count)
    return unsafe ProtobufCBinaryData(
      len: bytes.count,
      data: target.assumingMemoryBound(to: UInt8.self)
    )
  }

  @inlinable
  func place<Value, CValue>(
    _ values: [Value],
    _ convert: (Value) -> CValue
  ) -> UnsafeMutablePointer<CValue>? {
    guard !values.isEmpty else { return nil }
    let start = unsafe take(values.count * MemoryLayout<CValue>.stride)
      .bindMemory(to: CValue.self, capacity: values.count)
    for (index, value) in values.enumerated() {
      unsafe (start + index).initialize(to: convert(value))
    }
    return unsafe start
  }

  @usableFromInline
  func take(_ size: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe allocate(size) else { preconditionFailure("the arena has a limit") }
    return unsafe memory
  }
}

/// Functions for generated code that read values from unpacked C structs.
///
/// The pointers and counts come from protobuf-c, which has checked them against the input.
extension Arena {
  /// Reads a string, which may contain NUL bytes.
  ///
  /// - Throws: ``ProtobufError/invalidUTF8(field:)``.
  public func string(
    _ data: ProtobufCBinaryData,
    field: StaticString
  ) throws(ProtobufError) -> String {
    guard let start = unsafe data.data, unsafe data.len > 0 else { return "" }
    let bytes = unsafe UnsafeBufferPointer(start: start, count: data.len)
    do {
      return String(copying: try UTF8Span(validating: unsafe bytes.span))
    } catch {
      throw .invalidUTF8(field: field.description)
    }
  }

  /// Reads a bytes field.
  public func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    guard let start = unsafe data.data, unsafe data.len > 0 else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: data.len))
  }

  /// Reads the elements of a repeated string field.
  ///
  /// - Throws: ``ProtobufError/invalidUTF8(field:)`` or ``ProtobufError/tooLarge(message:limit:)``.
  public func strings(
    _ start: UnsafePointer<ProtobufCBinaryData>?,
    count: Int,
    field: StaticString
  ) throws(ProtobufError) -> [String] {
    guard count > 0, let start = unsafe start else { return [] }
    try charge(count * MemoryLayout<String>.stride)
    var result: [String] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(try unsafe string(start[index], field: field)) }
    return result
  }

  /// Reads the elements of a repeated bytes field.
  public func byteArrays(
    _ start: UnsafePointer<ProtobufCBinaryData>?,
    count: Int
  ) -> [[UInt8]] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { unsafe bytes($0) }
  }

  /// Reads the elements of a repeated numeric field.
  @inlinable
  public func scalars<T: BitwiseCopyable>(_ start: UnsafePointer<T>?, count: Int) -> [T] {
    unsafe [T](UnsafeBufferPointer(start: start, count: count))
  }

  /// Reads the elements of a repeated Boolean field.
  public func bools(_ start: UnsafePointer<protobuf_c_boolean>?, count: Int) -> [Bool] {
    unsafe UnsafeBufferPointer(start: start, count: count).map { $0 != 0 }
  }

  /// Reads the elements of a repeated enum field.
  ///
  /// Only the caller knows the enum's C type, which has the size of an `int`.
  @inlinable
  public func enums<T: ProtobufEnum, CEnum: BitwiseCopyable>(
    _ start: UnsafePointer<CEnum>?,
    count: Int
  ) -> [T] {
    precondition(MemoryLayout<CEnum>.size == MemoryLayout<Int32>.size)
    let bytes = unsafe UnsafeRawPointer(start)
    let numbers = unsafe UnsafeBufferPointer(
      start: bytes?.assumingMemoryBound(to: Int32.self),
      count: count
    )
    return unsafe numbers.map { T(rawValue: $0) }
  }

  /// Reads a submessage; returns nil if it is absent.
  ///
  /// - Throws: The ``ProtobufError`` of one of its fields.
  @inlinable
  public func message<M: ProtobufMessage>(
    _ source: UnsafeRawPointer?
  ) throws(ProtobufError) -> M? {
    guard let source = unsafe source else { return nil }
    var message = M()
    try unsafe message.load(source, in: self)
    return message
  }

  /// Reads the elements of a repeated message field.
  ///
  /// - Throws: ``ProtobufError/tooLarge(message:limit:)``, or the ``ProtobufError`` of a field.
  @inlinable
  public func messages<M: ProtobufMessage, CStruct>(
    _ start: UnsafePointer<UnsafeMutablePointer<CStruct>?>?,
    count: Int
  ) throws(ProtobufError) -> [M] {
    guard count > 0, let start = unsafe start else { return [] }
    let (size, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<M>.stride)
    try charge(overflows ? Int.max : size)
    var result: [M] = []
    result.reserveCapacity(count)
    for index in 0..<count {
      guard let source = unsafe start[index] else { continue }
      var message = M()
      try unsafe message.load(source, in: self)
      result.append(message)
    }
    return result
  }
}
