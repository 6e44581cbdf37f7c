/// The rules of HTTP/2 for the header list of a request and for its trailers (RFC 9113, section 8).
///
/// libnghttp2 could check them, but accepts only host names as `:authority`. gRPC's clients send
/// other text there if they connect to a Unix socket: its path, or nothing. gRPC permits both.
struct HTTP2RequestRules {
  private struct PseudoHeaders: OptionSet {
    let rawValue: UInt8

    static let method = Self(rawValue: 1)
    static let scheme = Self(rawValue: 2)
    static let path = Self(rawValue: 4)
    static let authority = Self(rawValue: 8)

    static let required: Self = [.method, .scheme, .path]
  }

  private var pseudoHeaders: PseudoHeaders = []
  /// A Boolean value that indicates whether a header other than a pseudo-header has come.
  private var hasOthers = false
  private var isBroken = false
  /// The number of bytes of data that the request states to have; `nil` if it states none.
  private(set) var contentLength: Int?

  /// A Boolean value that indicates whether the headers are those of a request.
  var isValidRequest: Bool { !isBroken && pseudoHeaders.isSuperset(of: .required) }

  /// A Boolean value that indicates whether the headers may be trailers.
  var areValidTrailers: Bool { !isBroken && pseudoHeaders.isEmpty }

  /// Checks the next header.
  mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    guard !isBroken else { return }
    let isPseudoHeader = unsafe name.first == UInt8(ascii: ":")
    let isValid =
      isPseudoHeader
      ? unsafe addPseudoHeader(name, value) : unsafe addOther(name: name, value: value)
    isBroken = unsafe !isValid || !Self.isValidValue(value)
  }

  // MARK: Pseudo-headers

  /// Adds a pseudo-header, which precedes all other headers and occurs once.
  private mutating func addPseudoHeader(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) -> Bool {
    guard !hasOthers, let header = unsafe Self.pseudoHeader(name),
      unsafe !value.isEmpty || header == .authority
    else { return false }
    return pseudoHeaders.insert(header).inserted
  }

  private static func pseudoHeader(_ name: UnsafeRawBufferPointer) -> PseudoHeaders? {
    switch name.count {
    case 5 where unsafe name.equals(":path"): .path
    case 7 where unsafe name.equals(":method"): .method
    case 7 where unsafe name.equals(":scheme"): .scheme
    case 10 where unsafe name.equals(":authority"): .authority
    default: nil
    }
  }

  // MARK: Other headers

  private mutating func addOther(
    name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) -> Bool {
    hasOthers = true
    guard unsafe Self.isValidName(name) else { return false }
    switch name.count {
    case 2 where unsafe name.equals("te"): return unsafe value.equalsIgnoringCase("trailers")
    case 7: return unsafe !name.equals("upgrade")
    case 10: return unsafe !name.equals("connection") && !name.equals("keep-alive")
    case 14 where unsafe name.equals("content-length"):
      guard contentLength == nil, let length = unsafe Self.contentLength(value) else {
        return false
      }
      contentLength = length
      return true
    case 16: return unsafe !name.equals("proxy-connection")
    case 17: return unsafe !name.equals("transfer-encoding")
    default: return true
    }
  }

  private static func contentLength(_ text: UnsafeRawBufferPointer) -> Int? {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    // 18 digits fit in an integer.
    guard (1...18).contains(text.count), unsafe text.allSatisfy(digits.contains) else { return nil }
    return unsafe text.reduce(0) { $0 * 10 + Int($1 - digits.lowerBound) }
  }

  // MARK: Bytes

  /// The bytes of names: the characters of a token (RFC 9110, section 5.6.2) without upper case.
  private static let nameBytes: (low: UInt64, high: UInt64) = {
    var (low, high): (UInt64, UInt64) = (0, 0)
    for byte in "!#$%&'*+-.0123456789^_`abcdefghijklmnopqrstuvwxyz|~".utf8 {
      if byte < 64 { low |= 1 << byte } else { high |= 1 << (byte - 64) }
    }
    return (low, high)
  }()

  private static func isValidName(_ name: UnsafeRawBufferPointer) -> Bool {
    let (low, high) = nameBytes
    let areValid = unsafe name.allSatisfy { byte in
      let bytes = byte < 64 ? low : byte < 128 ? high : 0
      return bytes >> (byte & 63) & 1 == 1
    }
    return unsafe areValid && !name.isEmpty
  }

  /// Returns whether a value has no control character other than tabs.
  ///
  /// HTTP/2 does not permit spaces at its ends, but gRPC does.
  private static func isValidValue(_ value: UnsafeRawBufferPointer) -> Bool {
    let (tab, space, delete) = (UInt8(ascii: "\t"), UInt8(ascii: " "), UInt8(0x7f))
    return unsafe value.allSatisfy { $0 >= space && $0 != delete || $0 == tab }
  }
}
