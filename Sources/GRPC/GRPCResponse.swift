internal import FoundationEssentials
internal import TTRPC

/// The header lists of gRPC responses.
enum GRPCResponse {
  typealias Header = (name: String, value: String)

  private static let first: [Header] = [
    (":status", "200"), ("content-type", "application/grpc+proto"),
    ("grpc-accept-encoding", "identity,gzip"),
  ]
  private static let ok: [Header] = [("grpc-status", "0")]

  private static let headersWithoutMetadata = HTTP2HeaderList.permanent(first)
  private static let trailersWithoutMetadata = HTTP2HeaderList.permanent(ok)

  /// Returns the header list before the first message.
  static func headers(_ metadata: [Header]) -> HTTP2HeaderList {
    metadata.isEmpty ? headersWithoutMetadata : HTTP2HeaderList(first + metadata)
  }

  /// The maximum size of an error's message and details, in bytes.
  ///
  /// Clients accept header lists of 8 KiB by default.
  private static let maximumErrorSize = 6144

  /// Returns the trailers of a call.
  ///
  /// - Parameters:
  ///   - error: The call's error; `nil` if it succeeded.
  ///   - metadata: The trailing metadata.
  static func trailers(_ error: RPCError?, _ metadata: [Header]) -> HTTP2HeaderList {
    if error == nil, metadata.isEmpty { return trailersWithoutMetadata }
    return HTTP2HeaderList((error.map(status) ?? ok) + metadata)
  }

  /// Returns the only header list of a call that failed before its first message.
  static func trailersOnly(_ error: RPCError, _ metadata: [Header] = []) -> HTTP2HeaderList {
    HTTP2HeaderList(first + status(error) + metadata)
  }

  /// Returns the only header list of a request that is not a gRPC request.
  static func refusal(status: Int, _ message: String) -> HTTP2HeaderList {
    HTTP2HeaderList([
      (":status", "\(status)"), ("content-type", "text/plain"), ("grpc-message", message),
    ])
  }

  /// Returns a handler's metadata as headers, without those that it may not send.
  static func headers(of metadata: Metadata) -> [Header] {
    metadata.filter { name, value in
      var rules = HTTP2RequestRules()
      var (name, value) = (name, value)
      return name.withUTF8 { name in
        value.withUTF8 { value in
          let (name, value) = (UnsafeRawBufferPointer(name), UnsafeRawBufferPointer(value))
          unsafe rules.add(name: name, value: value)
          return unsafe rules.areValidTrailers && !name.equals("content-type")
            && !name.equals("content-length") && !name.hasPrefix("grpc-")
        }
      }
    }.map { ($0.key, $0.value) }
  }

  /// Returns the headers of an error, without its details if they are too long.
  static func status(_ error: RPCError) -> [Header] {
    let message = percentEncoded(error.message, limit: maximumErrorSize)
    var headers = [
      (name: "grpc-status", value: "\(error.code.rawValue)"),
      (name: "grpc-message", value: message),
    ]
    if !error.details.isEmpty {
      let details = Data(error.serializedStatus).base64EncodedString()
      if message.utf8.count + details.utf8.count <= maximumErrorSize {
        headers.append((name: "grpc-status-details-bin", value: details))
      }
    }
    return headers
  }

  /// Encodes a message for the header `grpc-message`: printable ASCII except `%` stays as it is.
  ///
  /// A space at the beginning or the end is encoded, because HTTP/2 does not permit it there.
  ///
  /// - Parameter limit: The maximum number of bytes of the result; the message is cut there.
  static func percentEncoded(_ message: String, limit: Int = .max) -> String {
    let bytes = Array(message.utf8)
    let space = UInt8(ascii: " ")
    guard
      bytes.count > limit || bytes.first == space || bytes.last == space
        || !bytes.allSatisfy(isPlain)
    else { return message }
    var result: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      guard result.count + 3 <= limit else { break }
      if isPlain(byte), byte != space || (index > 0 && index < bytes.count - 1) {
        result.append(byte)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += (digits.count == 1 ? "%0\(digits)" : "%\(digits)").utf8
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%")
  }
}
