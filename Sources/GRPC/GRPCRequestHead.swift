internal import TTRPC

/// The method, the timeout and the metadata of a gRPC request, read from its header list.
///
/// Each call passes here, so the headers are read as bytes, and no string is made for an ordinary
/// call. A connection has one of them, since header lists arrive one after the other. See
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
final class GRPCRequestHead {
  /// A request that is answered without a call.
  enum Refusal: Error {
    /// The request is not a gRPC request; the HTTP status says why.
    case http(status: Int, message: String)
    /// The request is a malformed gRPC request, or asks for something that is not supported.
    case grpc(RPCError)
  }

  /// The value of a header that occurs at most once.
  private enum Field<Value> {
    case missing
    case valid(Value)
    case invalid(String)

    var isMissing: Bool {
      if case .missing = self { true } else { false }
    }
  }

  /// A request that can be called.
  struct Call {
    var method: CalledMethod
    /// The time until the deadline; `nil` means none.
    var timeout: Duration?
    /// The encoding of compressed messages.
    var encoding: GRPCMessageReader.Encoding
    /// The other headers, without those that describe the client's library.
    ///
    /// Values of keys that end in `-bin` stay in base64.
    var metadata: Metadata
  }

  private let methods: MethodTable
  private var rules = HTTP2RequestRules()
  private var isPost: Bool?
  private var isGRPC: Bool?
  /// The method, or the path that names none.
  private var method = Field<CalledMethod>.missing
  private var encoding = Field<GRPCMessageReader.Encoding>.missing
  private var timeout = Field<Duration>.missing
  private var metadata = Metadata()
  /// The size of the header list so far, as HTTP/2 counts it.
  private var size = 0

  /// Creates the head of a request without headers.
  init(_ methods: MethodTable) {
    self.methods = methods
  }

  /// Removes all headers.
  func reset() {
    rules = HTTP2RequestRules()
    isPost = nil
    isGRPC = nil
    method = .missing
    encoding = .missing
    timeout = .missing
    if !metadata.isEmpty { metadata = Metadata() }
    size = 0
  }

  // MARK: Headers

  /// The size that HTTP/2 adds for each header, in bytes.
  private static let overhead = 32

  /// Adds a header, unless the list is too long with it.
  func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    size += name.count + value.count + Self.overhead
    guard size <= ServerLimits.maximumHeaderListSize else { return }
    unsafe rules.add(name: name, value: value)
    // Of several headers with such a name, the first one counts.
    switch name.count {
    case 5 where unsafe name.equals(":path"):
      if method.isMissing { unsafe addPath(value) }
    case 7 where unsafe name.equals(":method"):
      isPost = unsafe isPost ?? value.equals("POST")
    case 12 where unsafe name.equals("content-type"):
      isGRPC = unsafe isGRPC ?? Self.isGRPC(value)
    case 12 where unsafe name.equals("grpc-timeout"):
      guard timeout.isMissing else { return }
      timeout = unsafe Self.timeout(value).map { .valid($0) } ?? .invalid(value.text)
    case 13 where unsafe name.equals("grpc-encoding"):
      guard encoding.isMissing else { return }
      encoding = unsafe Self.encoding(value).map { .valid($0) } ?? .invalid(value.text)
    default:
      guard unsafe !Self.isReserved(name) else { return }
      unsafe metadata.append(value.text, for: name.text)
    }
  }

  /// The maximum length of a path, in bytes: no method has such long names, and an unknown path is
  /// hashed and returned.
  private static let maximumPathLength = 512

  private func addPath(_ path: UnsafeRawBufferPointer) {
    guard path.count <= Self.maximumPathLength else {
      method = .invalid("of \(path.count) bytes")
      return
    }
    guard let names = unsafe Self.names(path) else {
      method = unsafe .invalid(path.text)
      return
    }
    let registered = unsafe methods.registeredMethod(service: names.service, method: names.method)
    method = unsafe .valid(
      registered
        ?? methods.unknownMethod(service: names.service.text, method: names.method.text))
  }

  /// Splits a path into the names of a service and a method.
  private static func names(
    _ path: UnsafeRawBufferPointer
  ) -> (service: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer)? {
    let slash = UInt8(ascii: "/")
    let names = unsafe path.dropFirst()
    guard unsafe path.first == slash, let middle = unsafe names.firstIndex(of: slash),
      unsafe names.lastIndex(of: slash) == middle
    else { return nil }
    return unsafe (
      UnsafeRawBufferPointer(rebasing: path[1..<middle]),
      UnsafeRawBufferPointer(rebasing: path[(middle + 1)...])
    )
  }

  /// Returns true for `application/grpc` and its variants for protobuf.
  private static func isGRPC(_ type: UnsafeRawBufferPointer) -> Bool {
    let end = unsafe type.firstIndex(of: UInt8(ascii: ";")) ?? type.endIndex
    let type = unsafe UnsafeRawBufferPointer(rebasing: type[..<end])
    return unsafe type.equals("application/grpc") || type.equals("application/grpc+proto")
  }

  private static func encoding(_ name: UnsafeRawBufferPointer) -> GRPCMessageReader.Encoding? {
    unsafe GRPCMessageReader.Encoding(rawValue: name.text)
  }

  /// Returns whether a header belongs to the protocol or describes the client's library.
  ///
  /// Libraries add the latter to every request. It is left out, because a call without metadata
  /// costs less.
  private static func isReserved(_ name: UnsafeRawBufferPointer) -> Bool {
    unsafe name.first == UInt8(ascii: ":") || name.equals("te") || name.equals("user-agent")
      || name.equals("accept-encoding") || name.hasPrefix("grpc-")
  }

  /// Parses a timeout: at most 8 digits and a unit.
  static func timeout(_ text: UnsafeRawBufferPointer) -> Duration? {
    guard (2...9).contains(text.count), let unit = unsafe text.last else { return nil }
    var number: Int64 = 0
    for index in 0..<text.count - 1 {
      let byte = unsafe text[index]
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    switch unit {
    case UInt8(ascii: "H"): return .seconds(number * 3600)
    case UInt8(ascii: "M"): return .seconds(number * 60)
    case UInt8(ascii: "S"): return .seconds(number)
    case UInt8(ascii: "m"): return .milliseconds(number)
    case UInt8(ascii: "u"): return .microseconds(number)
    case UInt8(ascii: "n"): return .nanoseconds(number)
    default: return nil
    }
  }

  // MARK: Result

  /// The number of bytes of data that the request states to have; `nil` if it states none.
  var contentLength: Int? { rules.contentLength }

  /// Returns the error of the stream whose header list is complete; `nil` if there is none.
  ///
  /// - Parameters:
  ///   - isRequest: True if the list opens the stream; false if it is the stream's trailers.
  ///   - endsStream: True if the peer sends nothing more on the stream.
  func error(isRequest: Bool, endsStream: Bool) -> HTTP2Session.ErrorCode? {
    guard size <= ServerLimits.maximumHeaderListSize else { return .enhanceYourCalm }
    let isValid = isRequest ? rules.isValidRequest : rules.areValidTrailers && endsStream
    return isValid ? nil : .protocolError
  }

  /// Returns the request, once its header list is complete.
  func call() throws(Refusal) -> Call {
    guard isPost == true else {
      throw .http(status: 405, message: "gRPC requires the method POST")
    }
    guard isGRPC == true else {
      throw .http(status: 415, message: "the content type must be application/grpc")
    }
    var call = Call(method: try requestedMethod(), encoding: .identity, metadata: metadata)
    switch encoding {
    case .missing: break
    case .valid(let encoding): call.encoding = encoding
    case .invalid(let name):
      throw .grpc(.init(code: .unimplemented, message: "unsupported grpc-encoding \(name)"))
    }
    switch timeout {
    case .missing: break
    case .valid(let timeout): call.timeout = timeout
    case .invalid(let text):
      throw .grpc(.init(code: .invalidArgument, message: "invalid grpc-timeout \(text)"))
    }
    return call
  }

  private func requestedMethod() throws(Refusal) -> CalledMethod {
    switch method {
    case .valid(let method): return method
    case .missing: throw .grpc(.init(code: .unimplemented, message: "the request has no path"))
    case .invalid(let path):
      throw .grpc(.init(code: .unimplemented, message: "invalid path \(path)"))
    }
  }
}
