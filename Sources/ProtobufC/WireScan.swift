import CProtobufC

/// A scan of a serialized message that makes it safe to unpack.
///
/// protobuf-c recurses into submessages without a limit. If a singular submessage occurs twice, it
/// loses numeric fields of the first occurrence, or rejects the message because of an unset
/// `oneof`, whereas Protobuf requires that the two are merged. The scan therefore limits the depth
/// and finds such duplicates, and `merged` joins them: the concatenation of two serialized messages
/// is, by definition, their merge.
struct WireScan {
  let message: MessageDescriptor
  let depthLimit: Int

  typealias Descriptor = UnsafePointer<ProtobufCMessageDescriptor>

  /// The concatenated payloads of all occurrences of a singular submessage.
  @safe private struct Joined {
    let tag: UInt64
    let descriptor: Descriptor
    var payload: [UInt8] = []
  }

  /// Returns true if a singular submessage may occur more than once, at any depth.
  ///
  /// The result may be a false positive for messages with more than 64 fields.
  ///
  /// - Throws: ``ProtobufError/tooDeep(message:limit:)``, ``ProtobufError/malformed(message:)``.
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

  /// Returns the same message with each singular submessage once; `findsDuplicate` must be called
  /// first.
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

  /// Returns the message field that a record belongs to; nil if it belongs to another field.
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

  /// Returns the index of a field in the descriptor, whose fields are sorted by number.
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

/// A reader of the records of a serialized message, without knowledge of its fields.
///
/// See <https://protobuf.dev/programming-guides/encoding/#structure>.
@safe struct WireReader {
  /// A tag with its payload.
  @safe struct Record {
    let tag: UInt64
    let whole: UnsafeRawBufferPointer
    let payload: UnsafeRawBufferPointer

    var isLengthDelimited: Bool { tag & 7 == 2 }
  }

  enum Event {
    case record(Record)
    case end
    case malformed
  }

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.bytes = bytes
  }

  mutating func next() -> Event {
    guard unsafe position < bytes.count else { return .end }
    let start = position
    guard let tag = varint(), let size = payloadSize(wireType: tag & 7),
      unsafe size <= bytes.count - position
    else { return .malformed }
    let payloadStart = position
    position += size
    return unsafe .record(
      Record(
        tag: tag,
        whole: UnsafeRawBufferPointer(rebasing: bytes[start..<position]),
        payload: UnsafeRawBufferPointer(rebasing: bytes[payloadStart..<position])
      )
    )
  }

  /// Returns the size of the payload, after consuming its length if it has one.
  private mutating func payloadSize(wireType: UInt64) -> Int? {
    switch wireType {
    case 0:
      let start = position
      guard varint() != nil else { return nil }
      defer { position = start }
      return position - start
    case 1: return 8
    case 2: return varint().flatMap { Int(exactly: $0) }
    case 5: return 4
    default: return nil
    }
  }

  private mutating func varint() -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard unsafe position < bytes.count else { return nil }
      let byte = unsafe bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return result }
    }
    return nil
  }
}
