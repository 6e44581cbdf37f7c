internal import CNghttp2

/// A header list in the form in which libnghttp2 takes it.
@safe final class HTTP2HeaderList: @unchecked Sendable {
  // Sendable: the memory does not change after the initializer.
  private let fields: UnsafeMutableBufferPointer<nghttp2_nv>
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// Creates a list, which is copied when it is sent.
  ///
  /// - Parameter headers: Names, in lower case, and values.
  convenience init(_ headers: [(name: String, value: String)]) {
    self.init(headers, flags: NGHTTP2_NV_FLAG_NONE.rawValue)
  }

  /// Creates a list that is never freed and therefore need not be copied.
  static func permanent(_ headers: [(name: String, value: String)]) -> HTTP2HeaderList {
    let list = HTTP2HeaderList(
      headers,
      flags: NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
    return unsafe Unmanaged.passRetained(list).takeUnretainedValue()
  }

  private init(_ headers: [(name: String, value: String)], flags: UInt32) {
    let length = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    unsafe text = .allocate(capacity: length)
    unsafe fields = .allocate(capacity: headers.count)
    var end = 0
    func append(_ string: String) -> (start: UnsafeMutablePointer<UInt8>?, length: Int) {
      let count = string.utf8.count
      let place = unsafe UnsafeMutableBufferPointer(rebasing: text[end..<end + count])
      _ = unsafe place.initialize(fromContentsOf: string.utf8)
      end += count
      return (place.baseAddress, count)
    }
    for (index, header) in headers.enumerated() {
      let (name, value) = unsafe (append(header.name), append(header.value))
      unsafe fields.initializeElement(
        at: index,
        to: nghttp2_nv(
          name: name.start, value: value.start, namelen: name.length, valuelen: value.length,
          flags: UInt8(flags)))
    }
  }

  deinit {
    unsafe fields.deallocate()
    unsafe text.deallocate()
  }

  /// Calls a closure with the fields, which are valid until it returns.
  func withFields<Result>(
    _ body: (UnsafeMutablePointer<nghttp2_nv>?, Int) -> Result
  ) -> Result {
    withExtendedLifetime(self) { unsafe body(fields.baseAddress, fields.count) }
  }
}
