import CProtobufC

/// Looks through a message before protobuf-c may unpack it.
///
/// protobuf-c recurses into submessages without a limit. And where a singular submessage comes
/// twice it loses numbers of the first one, or refuses both for an unset `oneof`; Protobuf wants
/// them merged. So the scan bounds the depth and finds such duplicates, and `merged` joins them:
/// the concatenation of two messages' bytes is, by definition, the two merged.
struct WireScan {
  let message: MessageDescriptor
  let depthLimit: Int

  typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

  /// All occurrences of one singular submessage, one after the other.
  @safe private struct Joined {
    let tag: UInt64
    let descriptor: Descriptor
    var payload: [UInt8] = []
  }

  /// Whether some singular submessage seems to come more than once, at any depth. May be wrong in
  /// the affirmative for messages with more than 64 fields.
  ///
  /// - Throws: `.tooDeep`, `.malformed`.
  func findsDuplicate(
    in bytes: UnsafeRawBufferPointer,
    of descriptor: Descriptor,
    depth: Int = 0
  ) throws(ProtobufError) -> Bool {
    guard depth <= depthLimit else { throw .tooDeep(message: message.fullName, limit: depthLimit) }
    var reader = unsafe WireReader(bytes)
    var seen: UInt64 = 0
    var found = false
    while let record = try read(&reader) {
      guard let child = unsafe child(record, of: descriptor) else { continue }
      if unsafe child.isSingular {
        let bit: UInt64 = unsafe 1 << UInt64(child.index & 63)
        found = found || seen & bit != 0
        seen |= bit
      }
      let isInside = try unsafe findsDuplicate(
        in: record.payload,
        of: child.descriptor,
        depth: depth + 1
      )
      found = found || isInside
    }
    return found
  }

  /// The same message with each singular submessage once. `bytes` have passed `findsDuplicate`.
  func merged(
    _ bytes: UnsafeRawBufferPointer,
    of descriptor: Descriptor
  ) throws(ProtobufError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var joined: [Int: Joined] = [:]
    var reader = unsafe WireReader(bytes)
    while let record = try read(&reader) {
      guard let child = unsafe child(record, of: descriptor) else {
        unsafe result.append(contentsOf: record.whole)
        continue
      }
      if unsafe child.isSingular {
        unsafe joined[
          child.index,
          default: Joined(tag: record.tag, descriptor: child.descriptor)
        ].payload
          .append(contentsOf: record.payload)
      } else {
        let inner = try unsafe merged(record.payload, of: child.descriptor)
        append(inner, tag: record.tag, to: &result)
      }
    }
    for entry in joined.values {
      let inner = try unsafe entry.payload.withUnsafeBufferPointer {
        buffer throws(ProtobufError) -> [UInt8] in
        try unsafe merged(UnsafeRawBufferPointer(buffer), of: entry.descriptor)
      }
      append(inner, tag: entry.tag, to: &result)
    }
    return result
  }

  private func read(_ reader: inout WireReader) throws(ProtobufError) -> WireReader.Record? {
    switch reader.next() {
    case .record(let record): return record
    case .end: return nil
    case .malformed: throw .malformed(message: message.fullName)
    }
  }

  /// The submessage field that a record belongs to.
  private func child(
    _ record: WireReader.Record,
    of descriptor: Descriptor
  ) -> (index: Int, isSingular: Bool, descriptor: Descriptor)? {
    guard record.isLengthDelimited else { return nil }
    guard
      let index = unsafe fieldIndex(UInt32(truncatingIfNeeded: record.tag >> 3), of: descriptor)
    else { return nil }
    let field = unsafe descriptor.pointee.fields[index]
    guard unsafe field.type == PROTOBUF_C_TYPE_MESSAGE, let inner = unsafe field.descriptor else {
      return nil
    }
    let isOneof = unsafe field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
    let isSingular = unsafe field.label != PROTOBUF_C_LABEL_REPEATED && !isOneof
    return unsafe (
      index, isSingular, inner.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    )
  }

  /// The position of a field among the descriptor's fields, which are sorted by number.
  private func fieldIndex(_ number: UInt32, of descriptor: Descriptor) -> Int? {
    var low = 0
    var high = unsafe Int(descriptor.pointee.n_fields)
    while low < high {
      let middle = (low + high) / 2
      let id = unsafe descriptor.pointee.fields[middle].id
      if id == number { return middle }
      if id < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  private func append(_ payload: [UInt8], tag: UInt64, to bytes: inout [UInt8]) {
    for number in [tag, UInt64(payload.count)] {
      var rest = number
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(truncatingIfNeeded: rest))
    }
    bytes.append(contentsOf: payload)
  }
}
