internal import NIOCore
internal import NIOHPACK
internal import TTRPC

/// The method, the timeout and the metadata of a gRPC request, read from its header list.
///
/// See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
struct GRPCRequestHead {
  /// A request that is answered without a call.
  enum Refusal: Error, Equatable {
    /// The request is not a gRPC request; the HTTP status says why.
    case http(status: Int, message: String)
    /// The request is a malformed gRPC request, or asks for something that is not supported.
    case grpc(RPCErrorDescription)
  }

  /// The code and the message of a refusal.
  struct RPCErrorDescription: Equatable {
    var code: StatusCode
    var message: String
  }

  var service: String
  var method: String
  /// The time until the deadline; `nil` means none.
  var timeout: Duration?
  /// The encoding of compressed messages.
  var encoding: GRPCMessageReader.Encoding
  /// The other headers, without those that describe the client's library.
  ///
  /// Values of keys that end in `-bin` stay in base64.
  var metadata: Metadata

  init(_ headers: HPACKHeaders) throws(Refusal) {
    // Each call passes here, so the list is read only once. Names are in lower case in HTTP/2.
    var (verb, type, path, encodingName, timeoutText): (String?, String?, String?, String?, String?)
    metadata = Metadata()
    for (name, value, _) in headers {
      switch name {
      case ":method": verb = verb ?? value
      case ":path": path = path ?? value
      case "content-type": type = type ?? value
      case "grpc-encoding": encodingName = encodingName ?? value
      case "grpc-timeout": timeoutText = timeoutText ?? value
      default: if !Self.isReserved(name) { metadata.append(value, for: name) }
      }
    }
    guard verb == "POST" else {
      throw .http(status: 405, message: "gRPC requires the method POST")
    }
    guard let type, Self.isGRPC(type) else {
      throw .http(status: 415, message: "the content type must be application/grpc")
    }
    guard let names = Self.names(path ?? "") else {
      throw .grpc(.init(code: .unimplemented, message: "invalid path \(path ?? "")"))
    }
    (service, method) = names
    encoding = .identity
    if let encodingName {
      guard let encoding = GRPCMessageReader.Encoding(rawValue: encodingName) else {
        throw .grpc(
          .init(code: .unimplemented, message: "unsupported grpc-encoding \(encodingName)"))
      }
      self.encoding = encoding
    }
    timeout = nil
    if let text = timeoutText {
      guard let parsed = Self.timeout(text) else {
        throw .grpc(.init(code: .invalidArgument, message: "invalid grpc-timeout \(text)"))
      }
      timeout = parsed
    }
  }

  /// Splits a path into the names of a service and a method.
  private static func names(_ path: String) -> (service: String, method: String)? {
    let slash = UInt8(ascii: "/")
    let names = path.utf8.dropFirst()
    guard path.utf8.first == slash, let middle = names.firstIndex(of: slash),
      names.lastIndex(of: slash) == middle
    else { return nil }
    return (
      String(path[names.startIndex..<middle]), String(path[names.index(after: middle)...])
    )
  }

  /// Returns true for `application/grpc` and its variants for protobuf.
  private static func isGRPC(_ type: String) -> Bool {
    if type == "application/grpc" { return true }
    let type = type.prefix { $0 != ";" }
    return type == "application/grpc" || type == "application/grpc+proto"
  }

  /// Returns whether a header belongs to the protocol or describes the client's library.
  ///
  /// Libraries add the latter to every request. It is left out, because a call without metadata
  /// costs less.
  private static func isReserved(_ name: String) -> Bool {
    name.utf8.first == UInt8(ascii: ":") || name == "te" || name == "user-agent"
      || name == "accept-encoding" || name.hasPrefix("grpc-")
  }

  /// Parses a timeout: at most 8 digits and a unit.
  static func timeout(_ text: String) -> Duration? {
    let digits = text.dropLast()
    guard (1...8).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int64(digits)
    else { return nil }
    switch text.last {
    case "H": return .seconds(number * 3600)
    case "M": return .seconds(number * 60)
    case "S": return .seconds(number)
    case "m": return .milliseconds(number)
    case "u": return .microseconds(number)
    case "n": return .nanoseconds(number)
    default: return nil
    }
  }
}
